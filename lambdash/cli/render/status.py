"""`status` and `ps` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.cli.render.table import age, size, table


def status_text(status: Mapping[str, Any]) -> str:
    """The daemon's lines, then a table of functions."""
    counts = status.get("environments") or {}
    environments = ", ".join(
        f"{counts.get(name, 0)} {name}" for name in ("busy", "idle", "starting")
    )
    lines = [
        f"endpoint      {status.get('endpoint')}",
        f"daemon        process {status.get('pid')}, lambdash {status.get('version')}, "
        f"up {age(status.get('uptime_s'))}",
        f"engine        {status.get('engine')}",
        f"manifest      {status.get('manifest')}",
        f"environments  {counts.get('total', 0)} ({environments})",
    ]
    functions = status.get("functions") or []
    return "\n".join(lines) + "\n\n" + functions_table(functions)


def serving_line(status: Mapping[str, Any]) -> str:
    """What `start` and `wait` say."""
    return (
        f"serving at {status.get('endpoint')} (process {status.get('pid')}, "
        f"{status.get('engine')} engine)"
    )


def functions_table(functions: Sequence[Mapping[str, Any]]) -> str:
    """A function a line."""
    if not functions:
        return "no functions"
    columns = ("NAME", "STATE", "ENVIRONMENTS", "REVISION", "RUNTIME OR IMAGE")
    rows = [
        (
            function.get("name"),
            function.get("state"),
            function.get("environments"),
            function.get("revision"),
            " ".join(filter(None, (function.get("runtime"), function.get("image")))),
        )
        for function in functions
    ]
    return table(columns, rows)


def environments_table(environments: Sequence[Mapping[str, Any]]) -> str:
    """An execution environment a line."""
    if not environments:
        return "no execution environments"
    rows = [
        (
            environment.get("id"),
            environment.get("function"),
            environment.get("state"),
            environment.get("invocations"),
            age(environment.get("age_s")),
            size(environment.get("memory_bytes")),
            str(environment.get("sandbox") or "")[:20],
        )
        for environment in environments
    ]
    return table(("ID", "FUNCTION", "STATE", "INVOCATIONS", "AGE", "MEMORY", "SANDBOX"), rows)
