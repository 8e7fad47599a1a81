"""What `stop` says."""

from __future__ import annotations

from collections.abc import Mapping


def stopped_line(stopped: Mapping[str, int] | None) -> str:
    """`stopped: removed 2 containers, 1 network`; None means that nothing ran.

    ``networks_kept`` are those that the engine would not let go.
    """
    if stopped is None:
        return "no daemon was running"
    removed = [
        f"{count} {name.removesuffix('s' if name != 'processes' else 'es') if count == 1 else name}"
        for name, count in stopped.items()
        if count and name != "networks_kept"
    ]
    line = "stopped: removed " + ", ".join(removed) if removed else "stopped"
    kept = stopped.get("networks_kept", 0)
    if kept:
        what = "1 network" if kept == 1 else f"{kept} networks"
        line += f"; {what} could not be removed, which is tried again at the next start or stop"
    return line
