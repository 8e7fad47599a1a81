"""`deploy` as text: the plan, then what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import milliseconds, size, table
from lambdash.cli.render.urls import urls_table

_SIGNS = {"create": "+", "update": "~", "delete": "-", "unchanged": "="}


def deployment_text(result: Mapping[str, Any]) -> str:
    """The plan's lines; when something was deployed a table of it; where it is served."""
    parts = [plan_text(result.get("plan") or [])]
    functions = result.get("functions") or []
    if functions:
        parts.append(deployed_table(functions))
    if result.get("endpoint"):
        parts.append(f"serving at {result['endpoint']}")
    if result.get("urls"):
        parts.append(urls_table(result["urls"]))
    return "\n\n".join(parts)


def plan_text(plan: Sequence[Mapping[str, Any]]) -> str:
    """`~ hello  update: code, timeout`, a function a line."""
    if not plan:
        return "nothing to deploy"
    width = max(len(step["function"]) for step in plan)
    return "\n".join(_step(step, width) for step in plan)


def _step(step: Mapping[str, Any], width: int) -> str:
    why = ", ".join(step.get("why") or ())
    action = f"{step['action']}: {why}" if why else step["action"]
    return f"{_SIGNS[step['action']]} {step['function']:{width}}  {action}"


def deployed_table(functions: Sequence[Mapping[str, Any]]) -> str:
    """What each function became, and how long that took."""
    rows = [
        (
            function["function"],
            function.get("revision"),
            size(function.get("size_bytes")),
            milliseconds(function.get("build_ms")),
            str(function.get("package") or "")[:19],
        )
        for function in functions
    ]
    return table(("FUNCTION", "REVISION", "SIZE", "BUILD", "PACKAGE"), rows)
