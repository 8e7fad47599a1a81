"""`lambdash validate`: check the manifest."""

from __future__ import annotations

import os

import click

from lambdash.cli.context import Command, Context
from lambdash.client import local
from lambdash.errors import CallerError


@click.command(cls=Command)
@click.argument("file", required=False)
@click.pass_obj
def command(context: Context, /, file: str | None) -> int:
    """Check the manifest (FILE, or the one found upwards) without a daemon.

    Every problem is shown, each with its file, line and column; exit code 2 when there is one.
    """
    settings = context.settings
    settings.manifest = file or settings.manifest
    manifest = context.control().manifest
    try:
        result = local.validate(manifest, os.environ, settings.env_vars)
    except CallerError as error:
        found = local.problems(error)
        return context.terminal.fail(error, **({"problems": found} if found else {}))
    count = len(result["functions"])
    context.show(result, f"{manifest}: ok, {count} function{'' if count == 1 else 's'}")
    return 0
