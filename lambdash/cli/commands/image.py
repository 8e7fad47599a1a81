"""`lambdash image build`: base images made on this machine."""

from __future__ import annotations

import click

from lambdash.cli.context import Command, Context


@click.group(help="Make base images.")
def command() -> None:
    """Hold the commands about images."""


@command.command("build", cls=Command)
@click.argument("runtime")
@click.option("--from-host", is_flag=True, help="From this machine's own interpreter.")
@click.option(
    "--architecture", type=click.Choice(["x86_64", "arm64"]), help="This machine's otherwise."
)
@click.pass_obj
def build(context: Context, /, runtime: str, *, from_host: bool, architecture: str | None) -> None:
    """Make RUNTIME's base image (python3.13, nodejs22.x, provided.al2023).

    With --from-host out of the interpreter installed here, for when no registry can be reached.
    """
    body = {"runtime": runtime, "architecture": architecture, "from_host": from_host}
    result = context.ask("image_build", body)
    context.show(
        result,
        f"{result['reference']}  in {result['seconds']:.1f} s\n{result['digest']}",
    )
