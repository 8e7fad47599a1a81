"""Payloads and answers recorded from AWS, read where they lie beside the project; else skipped."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors() -> Path:
    """The folder of recorded data, or a skip."""
    folder = Path(os.environ.get("LAMBDASH_VECTORS", _BESIDE))
    if not folder.is_dir():
        pytest.skip("no recorded vectors beside the project (LAMBDASH_VECTORS names them)")
    return folder


def powertools_event(name: str) -> dict[str, Any]:
    """One sample event of AWS."""
    event: dict[str, Any] = json.loads((vectors() / "events" / "powertools" / name).read_text())
    return event
