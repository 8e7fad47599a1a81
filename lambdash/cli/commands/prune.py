"""`lambdash prune`: free the shared store."""

from __future__ import annotations

import os

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.table import size
from lambdash.client import local


@click.command(cls=Command)
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Only what was not used for so many days.",
)
@click.pass_obj
def command(context: Context, /, unused_for: float | None) -> None:
    """Remove from the store, which all projects share, what no running daemon uses."""
    seconds = None if unused_for is None else unused_for * 86_400
    result = local.prune(os.environ, seconds)
    freed, left = size(result["freed_bytes"]), size(result["size_bytes"])
    context.show(result, f"freed {freed}; {result['store']} holds {left}")
