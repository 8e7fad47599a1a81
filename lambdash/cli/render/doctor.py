"""`doctor` as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import WIDTH


def doctor_text(checks: Sequence[Mapping[str, Any]]) -> str:
    """A check a line, its hint below it."""
    width = max(len(check["name"]) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines += _wrapped(f"{check['state']:4}  {check['name']:{width}}  ", check["found"])
        if check["hint"]:
            lines += _wrapped(" " * (width + 8), f"hint: {check['hint']}")
    return "\n".join(lines)


def _wrapped(before: str, text: str) -> list[str]:
    """Within the width of a terminal; a path that is longer than a line stays whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [before.rstrip()]
