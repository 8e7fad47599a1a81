"""`lambdash doctor`: what this machine can run."""

from __future__ import annotations

import os

import click

from lambdash.cli.context import Command, Context
from lambdash.cli.render.doctor import doctor_text
from lambdash.client import doctor
from lambdash.errors import PlatformError


@click.command(cls=Command)
@click.pass_obj
def command(context: Context, /) -> int:
    """Check Python, uv, npm, Docker, the launcher, interpreters, disk and folders.

    Exit code 3 when a check failed; warnings are no failure.
    """
    checks = doctor.examine(os.environ)
    failed = any(check["state"] == "fail" for check in checks)
    context.show({"ok": not failed, "checks": checks}, doctor_text(checks))
    return PlatformError.exit_code if failed else 0
