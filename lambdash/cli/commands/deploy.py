"""`lambdash deploy`: build and deploy what changed."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context, pull_option
from lambdash.cli.render.deployment import deployment_text


@click.command(cls=Command)
@click.argument("functions", nargs=-1, metavar="[FUNCTION]...")
@click.option("--dry-run", is_flag=True, help="Only print the plan.")
@pull_option
@click.pass_obj
def command(
    context: Context, /, functions: tuple[str, ...], *, dry_run: bool, pull: str | None
) -> None:
    """Build and deploy what changed: all functions, or those named.

    Prints the plan (what is created, updated or deleted, and why), then what was deployed.
    """
    body = {"functions": list(functions), "dry_run": dry_run, "pull": pull}
    result = context.ask("deploy", body)
    context.show(result, deployment_text(result))
