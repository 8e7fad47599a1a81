"""`lambdash queue`: the asynchronous events that are not done with."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.queue import event_lines, queue_table

_ACTIONS = ("list", "show", "retry", "drop")


@click.command(cls=Command)
@click.argument("action", required=False, default="list", type=click.Choice(_ACTIONS))
@click.argument("request_id", required=False)
@click.option("--function", metavar="NAME", help="Only events of this function.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="At most N events.",
)
@click.pass_obj
def command(
    context: Context,
    /,
    action: str,
    request_id: str | None,
    function: str | None,
    limit: int,
) -> None:
    """Show the asynchronous events that wait, and why; `show`, `retry` or `drop` one by its id."""
    if action == "list":
        result = context.ask("queue", {"function": function, "limit": limit})
        context.show(result, queue_table(result))
        return
    if request_id is None:
        raise click.UsageError(f"`queue {action}` needs a REQUEST_ID; `lambdash queue` lists them")
    result = context.ask(f"queue_{action}", {"request_id": request_id})
    context.show(result, "\n".join(event_lines(result)))
