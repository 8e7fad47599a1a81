"""`lambdash logs`: what functions wrote."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context, show_stream


@click.command(cls=Command)
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--request-id", metavar="ID", help="Only this invocation's.")
@click.option(
    "--since", type=click.FloatRange(min=0), metavar="S", help="Only of the last S seconds."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="At most the last N lines.",
)
@click.pass_obj
def command(
    context: Context,
    /,
    function: str | None,
    *,
    follow: bool,
    request_id: str | None,
    since: float | None,
    limit: int,
) -> None:
    """Show what FUNCTION, or all of them, wrote to stdout and stderr.

    Under --json one object holds all lines; with --follow each line is an object.
    """
    body = {
        "function": function,
        "follow": follow,
        "request_id": request_id,
        "since_s": since,
        "limit": limit,
    }
    show_stream(context, "logs", body, endless=follow)
