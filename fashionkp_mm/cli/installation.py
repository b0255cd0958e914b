"""What is installed: ``doctor``."""

# ruff: noqa: PLC0415

import typer

from fashionkp_mm.cli.group import app, example


@app.command(epilog=example("fashionkp doctor"))
def doctor() -> None:
    """Say whether predicting and training work here, and the command that solves each problem.

    Exit status 1 if predicting does not work, or if training does not although something of what
    it needs is installed. Where only predicting was installed, training is no problem.
    """
    from fashionkp_mm.commands import doctor as command

    raise typer.Exit(command.run())
