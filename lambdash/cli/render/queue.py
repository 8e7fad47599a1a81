"""`queue` as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdash.cli.render.table import table


def queue_table(result: Mapping[str, Any]) -> str:
    """An event a line, those that are due first at the top."""
    events = result["events"]
    if not events:
        return "no asynchronous event waits"
    rows = [
        (
            event["function"],
            event["state"],
            event["invocations"],
            event["accepted_at"][11:19],
            event["due_at"][11:19],
            event["request_id"],
        )
        for event in events
    ]
    headers = ("FUNCTION", "STATE", "TRIED", "ACCEPTED (UTC)", "DUE (UTC)", "REQUEST ID")
    text = table(headers, rows, width=140)
    more = result["waiting"] - len(events)
    return f"{text}\nand {more} more" if more > 0 else text


def event_lines(result: Mapping[str, Any]) -> list[str]:
    """A member a line; what is not there is not shown."""
    return [
        f"{name.replace('_', ' ')}: {value}" for name, value in result.items() if value is not None
    ]
