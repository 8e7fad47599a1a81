"""`lambdash urls`: where functions can be reached over HTTP."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.urls import urls_table


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """List function URLs and the routes of the HTTP API."""
    result = context.ask("urls", {})
    context.show(result, urls_table(result["urls"]))
