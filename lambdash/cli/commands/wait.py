"""`lambdash wait`: for scripts that started the daemon in the background."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.status import serving_line


@click.command(cls=Command)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds to wait at most.",
)
@click.pass_obj
def command(context: Context, /, timeout: float) -> None:
    """Wait until the daemon serves; exit code 3 when it does not in time. Starts nothing."""
    control = context.control()
    control.wait(timeout)
    result = context.ask("status", {})
    context.show({"running": True, **result}, serving_line(result))
