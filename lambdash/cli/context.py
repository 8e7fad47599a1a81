"""What every command gets: its output, its settings, and the way to the daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from lambdash.cli.render.stream import stream_line
from lambdash.cli.terminal import Terminal
from lambdash.client.connection import DaemonError
from lambdash.client.control import Control, working_folder
from lambdash.client.settings import Settings
from lambdash.errors import LambdashError

SHARED = ("manifest", "engine", "env_vars", "json", "quiet", "no_color")


class Context:
    """The object commands receive through ``click.pass_obj``."""

    def __init__(self, terminal: Terminal, settings: Settings) -> None:
        self.terminal = terminal
        self.settings = settings

    def control(self) -> Control:
        """The project's daemon; raises ``CallerError`` when there is no manifest."""
        return Control(self.settings, os.environ, working_folder())

    def ask(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """The daemon's result, its talk shown meanwhile; the daemon is started when it must be."""
        result = self.control().result(verb, body, self.terminal.observe)
        self.terminal.close()
        return {name: value for name, value in result.items() if name != "event"}

    def has_past(self) -> bool:
        """Whether there is a journal to ask of; says so where no daemon runs to read it."""
        control = self.control()
        if control.connected():
            return True
        if control.has_past():
            self.terminal.say("no daemon is running: starting it to read the journal")
            return True
        self.terminal.say("no daemon is running, and nothing was invoked yet")
        return False

    def show(self, document: Mapping[str, Any], text: str) -> None:
        """The object under `--json`, the text otherwise."""
        if self.terminal.json:
            self.terminal.document(document)
        elif text:
            self.terminal.text(text)


def shared_options() -> list[click.Option]:
    """The options that may stand before the command or after it; new objects at each call."""
    file = click.Path(dir_okay=False, resolve_path=True)
    return [
        click.Option(
            ["-m", "--manifest"], metavar="FILE", help="The manifest; otherwise found upwards."
        ),
        click.Option(
            ["--engine"],
            type=click.Choice(["docker", "process"]),
            help="What runs the functions; otherwise the manifest says, or what is installed.",
        ),
        click.Option(
            ["--env-vars"],
            type=file,
            metavar="FILE",
            help="A JSON file of variables per function, as SAM's --env-vars.",
        ),
        click.Option(["--json"], is_flag=True, help="Print one JSON object, errors too."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Only results and errors."),
        click.Option(["--no-color"], is_flag=True, help="No colour; NO_COLOR does the same."),
    ]


def pull_option(callback: Callable[..., Any]) -> Callable[..., Any]:
    """`--pull`: when a registry may be asked."""
    return click.option(
        "--pull",
        type=click.Choice(["missing", "never", "always"]),
        help="When a registry may be asked for an image.",
    )(callback)


def show_stream(context: Context, verb: str, body: dict[str, Any], *, endless: bool) -> None:
    """Print a stream's log and reload lines on stdout, the rest as talk on stderr.

    Under `--json` an endless stream is an object a line, any other one object with ``events``.
    """
    terminal, kept = context.terminal, []
    colour = terminal.colour and sys.stdout.isatty()
    for event in _until_stopped(context.control().call(verb, body), endless=endless):
        line = stream_line(event, colour=colour)
        if line is None:
            terminal.observe(event)
        elif terminal.json and endless:
            terminal.document(event)
        elif terminal.json:
            kept.append(event)
        elif line:
            terminal.close()  # a bar that is still drawn would stay above the line for good
            terminal.text(line)
    if terminal.json and not endless:
        terminal.document({"events": kept})


def _until_stopped(events: Iterator[dict[str, Any]], *, endless: bool) -> Iterator[dict[str, Any]]:
    """Who follows to the end is told of the end; for who waited for an answer it is an error."""
    try:
        yield from events
    except DaemonError as error:
        if not endless or error.code != "daemon-stopped":
            raise
        yield {"event": "notice", "text": error.message}


class Command(click.Command):
    """A command with the shared options; renders the errors its callback raises."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params += shared_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, the shared ones in a section of their own."""
        records: dict[bool, list[tuple[str, str]]] = {False: [], True: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                records[parameter.name in SHARED].append(record)
        for shared, title in ((False, "Options"), (True, "Shared options")):
            with formatter.section(title):
                formatter.write_dl(records[shared])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the callback with a ``Context``; returns the exit code."""
        context = _context(ctx)
        ctx.obj = context
        try:
            return super().invoke(ctx) or 0
        except LambdashError as error:
            return context.terminal.fail(error)
        except BrokenPipeError:  # the reader has all it wanted; click would exit with 1
            return 0
        finally:
            context.terminal.close()


def _context(ctx: click.Context) -> Context:
    given: dict[str, Any] = dict.fromkeys(SHARED)
    level: click.Context | None = ctx
    while level is not None:  # what stands nearest to the command wins
        given = {name: given[name] or level.params.get(name) for name in SHARED}
        level = level.parent
    for name in SHARED:
        ctx.params.pop(name, None)
    terminal = Terminal(
        json=bool(given["json"]), quiet=bool(given["quiet"]), colour=not given["no_color"]
    )
    settings = Settings(
        manifest=given["manifest"] or None, engine=given["engine"], env_vars=given["env_vars"]
    )
    return Context(terminal, settings)
