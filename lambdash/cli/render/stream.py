"""Events of `logs` and `dev` as lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from lambdash.cli.render.table import clock_time, milliseconds

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_DIM = 2


def stream_line(event: Mapping[str, Any], *, colour: bool = False) -> str | None:
    """The line of one event; empty for what is for programs alone, None for what is talk.

    In colour each function has its own, and the platform's lines stand back.
    """
    kind, function = event.get("event"), event.get("function")
    if kind == "reload":
        return f"{function}  edit -> ready {milliseconds(event['ready_ms'])}"
    if kind == "reload_failed":
        return f"{function}  edit failed, the last good code stays: {_reason(event.get('error'))}"
    if kind == "log":
        at, text = clock_time(event.get("at")), _log_text(event.get("text"))
        if not colour:
            return f"{at}  {function}  {text}"
        own = _COLOURS[crc32(str(function).encode()) % len(_COLOURS)]
        shown = _painted(_DIM, text) if event.get("stream") == "platform" else text
        return f"{_painted(_DIM, at)}  {_painted(own, str(function))}  {shown}"
    return "" if kind == "ready" else None


def _painted(code: int, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _log_text(text: object) -> str:
    """What a runtime client folded into one line (carriage returns, hard spaces), unfolded."""
    return re.sub(r"\r?\n|\r", "\n    ", str(text or "").replace("\xa0", " ").rstrip())


def _reason(error: object) -> str:
    if isinstance(error, Mapping):
        hint = f" (hint: {error['hint']})" if error.get("hint") else ""
        return f"{error.get('message')} ({error.get('code')}){hint}"
    return str(error)
