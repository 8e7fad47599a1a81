"""`lambdash clean`: remove this project's state."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.stopped import stopped_line
from lambdash.client import local


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Stop the daemon, then remove this project's state: journal, logs, deployed functions.

    The manifest, the code and the shared store stay.
    """
    result = local.clean(context.control())
    removed = [f"removed {path}" for path in result["removed"]] or ["nothing to remove"]
    before = [] if result["stopped"] is None else [stopped_line(result["stopped"])]
    context.show(result, "\n".join(before + removed))
