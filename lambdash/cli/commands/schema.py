"""`lambdash schema`: the manifest's JSON Schema."""

from __future__ import annotations

import json

import click

from lambdash.cli.context import Command, Context
from lambdash.client import local


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Print the manifest's JSON Schema, for editors and for checks elsewhere."""
    schema = local.schema()
    context.show(schema, json.dumps(schema, indent=2))
