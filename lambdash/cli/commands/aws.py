"""`lambdash aws`: the installed AWS CLI, pointed at this project."""

from __future__ import annotations

import os

import click

from lambdash.cli.context import Command, Context
from lambdash.client.aws import run_aws


@click.command(
    cls=Command,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="ARGUMENT...")
@click.pass_obj
def command(context: Context, /, arguments: tuple[str, ...]) -> None:
    """Run the AWS CLI with endpoint, region and keys set. Starts the daemon."""
    run_aws(arguments, context.ask("env", {}), os.environ)
