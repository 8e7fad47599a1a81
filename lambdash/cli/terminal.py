"""Where output goes: stdout is data, stderr is talk; `--json`, `--quiet` and colour decide how."""

from __future__ import annotations

import json
import os
import sys

from lambdash.errors import LambdashError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambdash.cli.progress import Display

_RED, _RESET = "\x1b[1;31m", "\x1b[0m"

# Names in a manifest someone else wrote may hold escape sequences; a terminal would obey them.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}


def _printable(text: str) -> str:
    return text.translate(_CONTROLS)


class Terminal:
    """One command's output. Exit codes are untouched by a reader that went away early."""

    __slots__ = ("_display", "colour", "json", "quiet")

    def __init__(self, *, json: bool = False, quiet: bool = False, colour: bool = True) -> None:
        self.json = json
        self.quiet = quiet
        self.colour = colour and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._display: Display | None = None

    def data(self, content: bytes) -> None:
        """Exact bytes to stdout, flushed; ``BrokenPipeError``, once, when the reader has gone."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            _abandon(1)
            raise

    def text(self, text: str) -> None:
        """A line, or several, of data for people."""
        self.data((text + "\n").encode("utf-8", "replace"))

    def document(self, document: Mapping[str, Any]) -> None:
        """The one object of `--json`."""
        self.text(json.dumps(document))

    def say(self, text: str) -> None:
        """A line of talk, unless `--quiet`."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """A line of talk that `--quiet` does not silence."""
        if self._display is not None:
            self._display.say(text)
            return
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except BrokenPipeError:
            _abandon(2)

    def fail(self, error: LambdashError, **more: object) -> int:
        """Render an error the way the contract says; returns its exit code."""
        self.close()
        if self.json:
            described = {"code": error.code, "message": error.message, "hint": error.hint, **more}
            self.document({"error": described})
            return error.exit_code
        red = self.colour and sys.stderr.isatty()
        label = f"{_RED}error:{_RESET}" if red else "error:"
        self.warn(f"{label} {_printable(error.message)} ({error.code})")
        if error.hint:
            self.warn(f"hint: {_printable(error.hint)}")
        return error.exit_code

    def observe(self, event: Mapping[str, Any]) -> None:
        """Show what the daemon says while it works: notices, log lines and progress."""
        kind = event.get("event")
        if kind == "notice":
            self.say(str(event.get("text", "")))
        elif kind == "log":
            self.say(str(event.get("text", "")).rstrip("\n"))
        elif kind == "progress" and not self.quiet:
            self._progress(event)

    def _progress(self, event: Mapping[str, Any]) -> None:
        if self._display is None:
            from lambdash.cli.progress import open_display

            self._display = open_display(colour=self.colour)
        self._display.show(event)

    def close(self) -> None:
        """Take progress bars off the screen."""
        if self._display is not None:
            self._display.close()
            self._display = None
            self._display = None


def _abandon(descriptor: int) -> None:
    """Let what is still buffered go nowhere, so that the interpreter's exit stays quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
