"""`lambdash start`: start the daemon, detached or in the foreground."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.status import serving_line
from lambdash.client.daemon_process import run_foreground


@click.command(cls=Command)
@click.option("--foreground", is_flag=True, help="Stay, log to this terminal, end with Ctrl-C.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Where the AWS endpoint listens; 4566 or the next free one otherwise.",
)
@click.pass_obj
def command(context: Context, /, *, foreground: bool, port: int | None) -> int:
    """Start the daemon, unless it runs; other commands start it by themselves."""
    context.settings.port = port
    control = context.control()
    if foreground:
        return run_foreground(control)
    for event in control.start():
        context.terminal.observe(event)
    result = context.ask("status", {})
    control.check_port(result)
    context.show({"running": True, **result}, serving_line(result))
    return 0
