"""The command line behind click: commands are imported when typed, errors follow the contract."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from importlib import import_module

import click

import lambdash
from lambdash.cli.context import shared_options
from lambdash.cli.terminal import Terminal
from lambdash.errors import CallerError

# In the order of a day's work; the short text is here so that `--help` imports no command
COMMANDS = {
    "init": "Write a new project from a template.",
    "validate": "Check the manifest and show every problem at once.",
    "schema": "Print the manifest's JSON Schema.",
    "deploy": "Build and deploy what changed.",
    "invoke": "Run a function once and print its response.",
    "dev": "Watch the code, reload it at every edit, follow the logs.",
    "start": "Start the daemon.",
    "wait": "Wait until the daemon serves.",
    "status": "Show the daemon and its functions.",
    "env": "Print variables that point AWS clients here.",
    "aws": "Run the AWS CLI on this project.",
    "ps": "Show the execution environments.",
    "urls": "List function URLs and HTTP routes.",
    "logs": "Show what functions wrote.",
    "history": "List past invocations.",
    "queue": "Show the asynchronous events that wait, retry or drop one.",
    "trace": "Show where an invocation's time went.",
    "stop": "Stop the daemon and remove all it runs.",
    "clean": "Remove this project's state.",
    "prune": "Remove unused packages from the shared store.",
    "doctor": "Check what this machine can run.",
    "image": "Make base images.",
    "completion": "Print the shell's completion script.",
}


class Commands(click.Group):
    """A group whose commands live in ``lambdash.cli.commands`` and are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"lambdash.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a hint at the nearest command."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean `{near[0]}`?" if near else "`lambdash --help` lists the commands"
            raise CallerError("command-not-found", f"there is no command `{name}`", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def application() -> click.Group:
    """The whole command line as one click group."""
    group = Commands(
        "lambdash",
        params=shared_options(),
        callback=lambda **_: None,
        help="AWS Lambda on your own machine, from one YAML manifest.",
        epilog="Every option is also a variable: LAMBDASH_MANIFEST, LAMBDASH_INVOKE_TAIL, ...",
        context_settings={
            "auto_envvar_prefix": "LAMBDASH",
            "help_option_names": ["-h", "--help"],
            "max_content_width": 80,
        },
    )
    version = f"lambdash {lambdash.__version__}"
    return click.version_option(lambdash.__version__, message=version)(group)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    try:
        code = application().main(
            list(arguments) or ["--help"], prog_name="lambdash", standalone_mode=False
        )
        return code if isinstance(code, int) else 0
    except click.Abort:
        return 130
    except CallerError as error:
        return _terminal(arguments).fail(error)
    except click.UsageError as error:
        return _terminal(arguments).fail(_usage_error(error))
    except click.ClickException as error:
        return _terminal(arguments).fail(CallerError("usage", error.format_message()))


def _terminal(arguments: Sequence[str]) -> Terminal:
    """For errors of the command line itself, before there is a context."""
    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    wanted = os.environ.get("LAMBDASH_JSON", "").lower() in {"1", "true", "t", "yes", "y", "on"}
    return Terminal(json="--json" in words or wanted, colour="--no-color" not in words)


def _usage_error(error: click.UsageError) -> CallerError:
    path = error.ctx.command_path if error.ctx is not None else "lambdash"
    message = error.format_message().rstrip(".")
    return CallerError("usage", message[:1].lower() + message[1:], f"`{path} --help` explains it")
