"""`lambdash stop`: end the daemon and everything it runs."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.stopped import stopped_line


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Stop the daemon; containers, networks and processes it made are gone afterwards.

    Not an error when none runs.
    """
    result = context.control().stop()
    stopped = None if result is None else result.get("stopped", {})
    context.show({"running": False, "stopped": stopped}, stopped_line(stopped))
