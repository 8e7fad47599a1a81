"""`lambdash logs`: what functions wrote."""

from __future__ import annotations

import re
from typing import Any

import click

from lambdash.cli.context import Command, Context, show_stream

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A time span such as ``5m``; variables of the environment come this way too."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)
    if found is None:
        message = f"'{value}' is not a time span such as 90, 30s, 5m, 2h or 1d"
        raise click.BadParameter(message, context, parameter)
    return float(found[1]) * _SECONDS[found[2]]


@click.command(cls=Command)
@click.argument("function", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--request-id", metavar="ID", help="Only this invocation's.")
@click.option(
    "--since", callback=_seconds, metavar="SPAN", help="Only of the last 90 (seconds), 5m, 2h."
)
@click.option("--filter", metavar="PATTERN", help="Only lines with these terms.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="At most the last N lines.",
)
@click.pass_obj
def command(context: Context, /, function: str | None, *, follow: bool, **asked: Any) -> None:
    """Show the log of FUNCTION, or of all of them: what they wrote, and the platform's lines.

    Terms of a filter are CloudWatch's: all of them must be there; -TERM must not; of ?TERM ?OTHER
    one must. Under --json one object holds all lines; with --follow each line is an object.
    """
    body = {"function": function, "follow": follow, **asked}
    body["since_s"] = body.pop("since")
    if follow or context.has_past():
        show_stream(context, "logs", body, endless=follow)
    else:
        context.show({"events": []}, "")
