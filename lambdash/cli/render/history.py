"""`history` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import clock_time, milliseconds, table

_SHOWN_CHARS = 8  # of a request id: what `trace` takes for one, at least


def history_table(invocations: Sequence[Mapping[str, Any]]) -> str:
    """An invocation a line; `trace` and `logs --request-id` take the beginning of its id."""
    if not invocations:
        return "no invocations"
    rows = [
        (
            clock_time(invocation.get("at"), parts="seconds"),
            invocation.get("outcome"),
            invocation.get("start"),
            milliseconds(invocation.get("total_ms")),
            str(invocation.get("request_id") or "")[:_SHOWN_CHARS],
            invocation.get("function"),
        )
        for invocation in invocations
    ]
    return table(("AT", "OUTCOME", "START", "TOTAL", "REQUEST", "FUNCTION"), rows)
