"""`trace` as text: a waterfall, the part no phase accounts for, and import costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import table

_BAR_COLUMNS = 40
_IMPORTS_SHOWN = 20


def trace_text(trace: Mapping[str, Any], *, imports: bool) -> str:
    """The whole answer of `trace`; times are milliseconds."""
    total = float(trace.get("total_ms") or 0.0)
    head = (
        f"{trace.get('function')}  {trace.get('start')}  {trace.get('outcome')}  "
        f"total {total:.1f} ms\n{trace.get('request_id')}  {trace.get('at')}"
    )
    parts = [head, waterfall(trace.get("phases") or [], total, trace.get("unaccounted_ms"))]
    if imports:
        parts.append(imports_table(trace.get("imports")))
    return "\n\n".join(parts)


def waterfall(
    phases: Sequence[Mapping[str, Any]], total_ms: float, unaccounted_ms: float | None
) -> str:
    """A bar a phase on one scale; the last line is what no pair of marks accounts for."""
    width = max([len("unaccounted"), *(len(phase["name"]) for phase in phases)])
    lines = [
        f"{phase['name']:{width}}  {phase['length_ms']:9.1f} ms  "
        f"|{_bar(phase['start_ms'], phase['length_ms'], total_ms)}|"
        for phase in phases
    ]
    rest = float(unaccounted_ms or 0.0)
    share = 100 * rest / total_ms if total_ms else 0.0
    return "\n".join([*lines, f"{'unaccounted':{width}}  {rest:9.1f} ms  ({share:.1f} %)"])


def _bar(start_ms: float, length_ms: float, total_ms: float) -> str:
    if total_ms <= 0:
        return " " * _BAR_COLUMNS
    begin = min(_BAR_COLUMNS - 1, int(_share(start_ms, total_ms) * _BAR_COLUMNS))
    end = max(begin + 1, round(_share(start_ms + length_ms, total_ms) * _BAR_COLUMNS))
    return " " * begin + "#" * (end - begin) + " " * (_BAR_COLUMNS - end)


def _share(at_ms: float, total_ms: float) -> float:
    return min(max(at_ms, 0.0), total_ms) / total_ms


def imports_table(imports: Sequence[Mapping[str, Any]] | None) -> str:
    """The costliest imports first, what each cost by itself and with what it imported."""
    if not imports:
        return "imports were not measured: `lambdash invoke FUNCTION --cold --imports` does"
    ordered = sorted(imports, key=lambda each: -each["cumulative_us"])
    rows = [
        (f"{each['cumulative_us'] / 1000:.1f}", f"{each['self_us'] / 1000:.1f}", each["module"])
        for each in ordered[:_IMPORTS_SHOWN]
    ]
    left = len(ordered) - len(rows)
    more = f"\nand {left} more" if left > 0 else ""
    return table(("CUMULATIVE MS", "SELF MS", "MODULE"), rows) + more
