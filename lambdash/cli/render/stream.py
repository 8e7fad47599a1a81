"""Events of `logs` and `dev` as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdash.cli.render.table import milliseconds


def stream_line(event: Mapping[str, Any]) -> str | None:
    """The line of one event; None for those that are talk."""
    kind, function = event.get("event"), event.get("function")
    if kind == "reload":
        return f"{function}  edit -> ready {milliseconds(event['ready_ms'])}"
    if kind == "reload_failed":
        return f"{function}  edit failed, the last good code stays: {_reason(event.get('error'))}"
    if kind == "log":
        return f"{str(event.get('at', ''))[11:23]}  {function}  {_log_text(event.get('text'))}"
    return None


def _log_text(text: object) -> str:
    """What a runtime client folded into one line (carriage returns, hard spaces), unfolded."""
    return str(text or "").replace("\xa0", " ").rstrip("\r\n").replace("\r", "\n    ")


def _reason(error: object) -> str:
    if isinstance(error, Mapping):
        hint = f" (hint: {error['hint']})" if error.get("hint") else ""
        return f"{error.get('message')} ({error.get('code')}){hint}"
    return str(error)
