"""`init` as text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from lambdash.cli.render.table import table


def templates_table(templates: Mapping[str, str]) -> str:
    """A template a line."""
    return table(("TEMPLATE", "WHAT IT IS"), list(templates.items()))


def next_steps(written: Mapping[str, Any]) -> str:
    """What was written, and what to type next."""
    here = written["folder"] == "."
    runtime = f" for {written['runtime']}" if written["runtime"] else ""
    steps = [
        f"wrote {len(written['files'])} files to {written['folder']}{runtime}; next:",
        *([] if here else [f"  cd {shlex.quote(written['folder'])}"]),
        f"  lambdash invoke {written['function']} -p @events/{written['function']}.json",
        "  lambdash dev        # reloads at every edit; README.md tells more",
    ]
    return "\n".join(steps)
