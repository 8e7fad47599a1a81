"""`lambdash invoke`: run a function once."""

from __future__ import annotations

from typing import Any

import click

from lambdash.cli.context import Command, Context, pull_option
from lambdash.cli.invocation import InvokeRequest, perform


@click.command(cls=Command)
@click.argument("function")
@click.option(
    "-p",
    "--payload",
    default="{}",
    metavar="JSON|@FILE|-",
    show_default=True,
    help="The event: JSON, a file's, or standard input's.",
)
@click.option(
    "--type",
    "type",
    type=click.Choice(["request-response", "event", "dry-run"]),
    default="request-response",
    show_default=True,
    help="event queues it, with AWS's retries; dry-run only checks that it could run.",
)
@click.option("--cold", is_flag=True, help="Use a new environment even when one is warm.")
@click.option("--tail", is_flag=True, help="Print the end of the invocation's log on stderr.")
@click.option("--qualifier", metavar="NAME", help="$LATEST, a version or an alias.")
@click.option("--client-context", metavar="JSON", help="What `context.client_context` is made of.")
@click.option("--cognito-identity", metavar="JSON", help="What `context.identity` is made of.")
@pull_option
@click.option("--imports", is_flag=True, help="Measure Python's imports for `trace --imports`.")
@click.pass_obj
def command(context: Context, /, function: str, payload: str, **options: Any) -> int:
    """Run FUNCTION once and print its response.

    The response's exact bytes go to stdout, one line of timing to stderr. What changed since the
    last invoke is deployed first.
    """
    if not function:
        raise click.BadParameter("it is empty", param_hint="FUNCTION")
    request = InvokeRequest(function, context.settings, context.terminal)
    request.payload = payload
    request.body.update(options)
    return perform(request)
