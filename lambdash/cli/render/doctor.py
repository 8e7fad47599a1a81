"""`doctor` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def doctor_text(checks: Sequence[Mapping[str, Any]]) -> str:
    """A check a line, its hint below it."""
    width = max(len(check["name"]) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check['state']:4}  {check['name']:{width}}  {check['found']}")
        if check["hint"]:
            lines.append(f"{'':6}{'':{width}}  hint: {check['hint']}")
    return "\n".join(lines)
