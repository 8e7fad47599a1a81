"""`lambdash completion`: click's completion scripts."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from lambdash.cli.context import Command, Context
from lambdash.errors import CallerError

_SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.pass_obj
def command(context: Context, /, shell: str | None) -> None:
    """Print the completion script of SHELL, by default the one in use.

    bash: `eval "$(lambdash completion bash)"` in ~/.bashrc; zsh alike in ~/.zshrc;
    fish: `lambdash completion fish | source` in ~/.config/fish/config.fish.
    """
    wanted = shell or PurePath(os.environ.get("SHELL", "")).name
    found = get_completion_class(wanted)
    if wanted not in _SHELLS or found is None:
        known = ", ".join(_SHELLS)
        raise CallerError(
            "shell-unknown", f"there is no completion for `{wanted}`", f"name {known}"
        )
    root = click.get_current_context().find_root().command
    script = found(root, {}, "lambdash", "_LAMBDASH_COMPLETE").source()
    context.show({"shell": wanted, "script": script}, script)
