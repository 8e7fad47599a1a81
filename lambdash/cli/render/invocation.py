"""The timing line of an invocation, and what is said of one that failed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PHASES = ("queue", "package", "image", "launch", "init", "duration")
_ALWAYS = frozenset({"launch", "init", "duration"})
_QUEUED_MS = 1.0


def timing_line(result: Mapping[str, Any]) -> str:
    """`warm  duration 1.2 ms  overhead 0.4 ms`, or the parts of a cold start, which add up.

    Without a label when no environment ever served it. A queue shorter than ``_QUEUED_MS`` is no
    wait of anybody's: it counts as overhead.
    """
    timings, start = dict(result["timings_ms"]), result.get("start")
    if timings.get("queue", 0) < _QUEUED_MS:
        timings["overhead"] = timings.get("overhead", 0) + timings.pop("queue", 0)
    if start == "warm":
        known = [name for name in ("queue", "duration", "overhead") if name in timings]
        return "  ".join(["warm", *(f"{name} {timings[name]:.1f} ms" for name in known)])
    whole = f"total {round(timings.get('total', 0))} ms = {_parts(timings)}"
    return f"{start}  {whole}" if start else whole


def _parts(timings: Mapping[str, float]) -> str:
    rounded = {name: round(timings[name]) for name in _PHASES if name in timings}
    shown = {name: ms for name, ms in rounded.items() if ms > 0 or name in _ALWAYS}
    other = max(0, round(timings.get("total", 0)) - sum(shown.values()))
    return " + ".join(f"{name} {ms}" for name, ms in [*shown.items(), ("other", other)])


def error_lines(
    result: Mapping[str, Any], document: Mapping[str, Any], *, verbose: bool
) -> list[str]:
    """What stderr says before the timing line.

    The platform's own errors always; the function's error and its log only when ``verbose``, since
    stdout has the error ``document`` already.
    """
    lines: list[str] = []
    if verbose:
        lines += str(result.get("log_tail") or "").rstrip("\n").splitlines()
        if result.get("function_error"):
            lines.append(_function_error(result, document))
    error = result.get("error")
    if error:
        lines.append(f"error: {error.get('message')} ({error.get('code')})")
        if error.get("hint"):
            lines.append(f"hint: {error['hint']}")
    return lines


def _function_error(result: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    outcome = str(result.get("outcome", "function_failed")).replace("_", " ")
    kind, message = document.get("errorType"), document.get("errorMessage")
    described = ": ".join(str(part) for part in (kind, message) if part)
    return f"{outcome}: {described}" if described else outcome
