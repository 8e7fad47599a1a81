"""`lambdash history`: past invocations."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.invocation import EXIT_CODES
from lambdash.cli.render.history import history_table


@click.command(cls=Command)
@click.argument("function", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="At most the last N.",
)
@click.option("--outcome", type=click.Choice(list(EXIT_CODES)), help="Only those that ended so.")
@click.pass_obj
def command(context: Context, /, function: str | None, limit: int, outcome: str | None) -> None:
    """List the last invocations of FUNCTION, or of all, newest first.

    `trace` and `logs --request-id` take a request's eight characters.
    """
    body = {"function": function, "limit": limit, "outcome": outcome}
    if not context.has_past():
        context.show({"invocations": []}, "")
        return
    result = context.ask("history", body)
    context.show(result, history_table(result["invocations"]))
