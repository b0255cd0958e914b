"""The ``fashionkp`` command line: what it takes and what it says of itself.

What a command does stands in `fashionkp_mm.commands`, which is imported when the command is called,
so that ``fashionkp --help`` answers at once.
"""

from importlib import import_module

from fashionkp_mm.cli.group import app

__all__ = ["app"]

# Each adds its commands; `fashionkp --help` has them in this order.
for _module in (
    "installation",
    "labels",
    "scores",
    "predicting",
    "applications",
    "models",
    "servers",
):
    import_module(f"fashionkp_mm.cli.{_module}")
