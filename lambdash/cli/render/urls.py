"""`urls` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import table


def urls_table(urls: Sequence[Mapping[str, Any]]) -> str:
    """A route a line; a URL is whole, to be copied."""
    if not urls:
        return "no function has a URL or a route"
    rows = [(one["function"], one["method"], one["url"]) for one in urls]
    return table(("FUNCTION", "METHOD", "URL"), rows, width=200)
