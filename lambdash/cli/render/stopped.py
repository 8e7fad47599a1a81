"""What `stop` says."""

from __future__ import annotations

from collections.abc import Mapping


def stopped_line(stopped: Mapping[str, int] | None) -> str:
    """`stopped: removed 2 containers, 1 network`; None means that nothing ran."""
    if stopped is None:
        return "no daemon was running"
    removed = [
        f"{count} {name.removesuffix('s' if name != 'processes' else 'es') if count == 1 else name}"
        for name, count in stopped.items()
        if count
    ]
    return "stopped: removed " + ", ".join(removed) if removed else "stopped"
