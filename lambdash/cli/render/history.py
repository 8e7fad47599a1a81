"""`history` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import milliseconds, table


def history_table(invocations: Sequence[Mapping[str, Any]]) -> str:
    """An invocation a line; the request id is whole, `trace` takes it."""
    if not invocations:
        return "no invocations"
    rows = [
        (
            str(invocation.get("at", ""))[11:19],
            invocation.get("function"),
            invocation.get("outcome"),
            invocation.get("start"),
            milliseconds(invocation.get("total_ms")),
            invocation.get("request_id"),
        )
        for invocation in invocations
    ]
    return table(("AT", "FUNCTION", "OUTCOME", "START", "TOTAL", "REQUEST ID"), rows, width=120)
