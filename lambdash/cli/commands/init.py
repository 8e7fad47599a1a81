"""`lambdash init`: a new project from a template."""

from __future__ import annotations

from pathlib import Path

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.templates import next_steps, templates_table
from lambdash.client import templates


@click.command(cls=Command)
@click.argument("template", default="python")
@click.argument("folder", default=".", metavar="[DIR]")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.pass_obj
def command(context: Context, /, template: str, folder: str, *, listing: bool) -> None:
    """Write a new project from TEMPLATE (python) into DIR, or into this folder.

    The runtime written is one that this machine can run. No file is ever overwritten.
    """
    if listing:
        listed = {name: found.description for name, found in templates.TEMPLATES.items()}
        context.show({"templates": listed}, templates_table(listed))
        return
    result = templates.write(template, Path(folder))
    context.show(result, next_steps(result))
