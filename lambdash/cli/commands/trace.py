"""`lambdash trace`: where an invocation's time went."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.trace import trace_text


@click.command(cls=Command)
@click.argument("request_id", default="last")
@click.option("--imports", is_flag=True, help="Also what each Python import cost.")
@click.pass_obj
def command(context: Context, /, request_id: str, *, imports: bool) -> None:
    """Show one invocation's phases as a waterfall; REQUEST_ID defaults to the last one.

    Import costs are known for invocations made with `invoke --cold --imports`.
    """
    result = context.ask("trace", {"request_id": request_id, "imports": imports})
    context.show(result, trace_text(result, imports=imports))
