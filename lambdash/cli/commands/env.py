"""`lambdash env`: variables that point AWS clients at this project's endpoint."""

from __future__ import annotations

import shlex

import click

from lambdash.cli.context import Command, Context
from lambdash.client.aws import DROPPED, aws_variables


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> None:
    """Print what a shell must set, for `eval "$(lambdash env)"`. Starts the daemon.

    From then on the AWS CLI, boto3 and other SDKs in that shell talk to this project.
    """
    variables = aws_variables(context.ask("env", {}))
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f"unset {' '.join(DROPPED)}")
    context.show({"variables": variables, "unset": list(DROPPED)}, "\n".join(lines))
