"""Golden files: `UPDATE_GOLDEN=1 pytest tests/cli` writes them, a review reads them."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    path = _FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.is_file(), f"{path} is missing; UPDATE_GOLDEN=1 writes it"
    assert text == path.read_text()
    assert "\x1b" not in text
