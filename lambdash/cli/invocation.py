"""One `invoke` from its parsed options to its exit code; imports nothing that starts slowly."""

from __future__ import annotations

import binascii
import os
import sys

from lambdash.cli.render.invocation import error_lines, timing_line
from lambdash.cli.terminal import Terminal
from lambdash.client import payload
from lambdash.client.control import Control, working_folder
from lambdash.client.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXIT_CODES = {
    "succeeded": 0,
    "function_failed": 1,
    "init_failed": 1,
    "crashed": 1,
    "platform_failed": 3,
    "throttled": 4,
    "timed_out": 5,
}


class InvokeRequest:
    """The options of `invoke` as they were written; ``payload`` is JSON, ``@file`` or ``-``."""

    __slots__ = ("body", "function", "payload", "settings", "terminal")

    def __init__(self, function: str, settings: Settings, terminal: Terminal) -> None:
        self.function = function
        self.settings = settings
        self.terminal = terminal
        self.payload = "{}"
        self.body: dict[str, Any] = {
            "function": function,
            "type": "request-response",
            "cold": False,
            "tail": False,
            "qualifier": None,
            "client_context": None,
            "cognito_identity": None,
            "pull": None,
            "imports": False,
        }


def perform(request: InvokeRequest) -> int:
    """Ask the daemon and print; returns the exit code. Raises ``LambdashError``."""
    content = payload.read(request.payload, sys.stdin)
    control = Control(request.settings, os.environ, working_folder())
    encoded = binascii.b2a_base64(content, newline=False).decode()
    body = {**request.body, "payload_base64": encoded}
    result = control.result("invoke", body, request.terminal.observe)
    request.terminal.close()
    _print(request, result)
    return EXIT_CODES.get(str(result.get("outcome")), 3)


def _print(request: InvokeRequest, result: dict[str, Any]) -> None:
    terminal = request.terminal
    answer = binascii.a2b_base64(result.get("payload_base64") or "")
    if terminal.json:
        terminal.document(_document(result, answer))
        return
    on_terminal = sys.stderr.isatty()
    if answer:
        newline = b"\n" if sys.stdout.isatty() and not answer.endswith(b"\n") else b""
        terminal.data(answer + newline)
        if not newline and not answer.endswith(b"\n") and _share_a_file():
            terminal.say("")
    for line in error_lines(
        result, _error_document(answer), verbose=on_terminal or request.body["tail"]
    ):
        terminal.warn(line)
    if result.get("timings_ms"):
        terminal.say(timing_line(result))
    elif request.body["type"] == "event":
        terminal.say(f"accepted  {result['request_id']}")


def _share_a_file() -> bool:
    """Whether stdout and stderr go to one place (``2>&1``): then talk begins on a new line."""
    try:
        return os.path.sameopenfile(1, 2)
    except OSError:
        return False


def _error_document(answer: bytes) -> dict[str, Any]:
    try:
        document = payload.parsed(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _document(result: dict[str, Any], answer: bytes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    try:
        document["payload"] = payload.parsed(answer) if answer else None
    except ValueError:
        document["payload_base64"] = result.get("payload_base64")
    for name in ("outcome", "start", "timings_ms", "request_id", "function_error", "log_tail"):
        document[name] = result.get(name)
    for name in ("environment", "sandbox", "error"):
        if result.get(name) is not None:
            document[name] = result[name]
    return document
