"""`lambdash dev`: hot reload."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context, pull_option, show_stream


@click.command(cls=Command)
@click.argument("functions", nargs=-1, metavar="[FUNCTION]...")
@pull_option
@click.pass_obj
def command(context: Context, /, functions: tuple[str, ...], pull: str | None) -> None:
    """Watch the code and reload it at every edit; the functions' logs follow below.

    An edit takes over once its new environment is ready; a broken one keeps the last good one.
    Ends with Ctrl-C. Under --json each event is an object.
    """
    show_stream(context, "dev", {"functions": list(functions), "pull": pull}, endless=True)
