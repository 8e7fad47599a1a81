"""`lambdash ps`: the execution environments."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.status import environments_table


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Show the execution environments that live now. Starts nothing."""
    running = context.control().health() is not None
    result = context.ask("ps", {}) if running else {"environments": []}
    context.show(result, environments_table(result["environments"]))
