"""The group that all commands are in, and what each of them does alike."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from fashionkp_mm.compat.broken_imports import explained
from fashionkp_mm.compat.streams import print_anything

_READER_GONE = 128 + 13
"""Exit status that a shell gives to a program that SIGPIPE ended, as in ``cat FILE | head``."""


class _Commands(TyperGroup):
    """The commands, with what each of them does alike.

    A reader that has seen enough, as ``head`` has, ends a command without a word. A dependency that
    does not import ends it with one message.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line and run the command that it calls."""
        print_anything()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at its end, and would complain.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise SystemExit(_READER_GONE) from None
        except ImportError as error:
            raise SystemExit(f"error: {explained(error)}") from error


app = typer.Typer(
    name="fashionkp",
    cls=_Commands,
    help="Apparel keypoints: from pictures to garments; check, draw and score FashionAI data.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def example(*lines: str) -> str:
    """What a command's help ends with."""
    return "\n\n".join(("[bold]Example[/]", *lines))
