"""`lambdash status`: the daemon and its functions."""

from __future__ import annotations

from typing import Any

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.status import status_text


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Show whether the daemon runs, where its endpoint is, and every function's state.

    Starts nothing: without a daemon the endpoint is null.
    """
    control = context.control()
    if control.health() is None:
        stopped: dict[str, Any] = {
            "running": False,
            "endpoint": None,
            "pid": None,
            "engine": None,
            "manifest": control.manifest,
            "functions": [],
            "environments": {"total": 0, "busy": 0, "idle": 0, "starting": 0},
        }
        context.show(
            stopped, "no daemon is running; the first invoke or `lambdash start` starts it"
        )
        return
    result = context.ask("status", {})
    context.show({"running": True, **result}, status_text(result))
