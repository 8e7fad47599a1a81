"""The same tree gives the same zip; what unpacks it finds the same tree."""

import io
import os
from pathlib import Path

from lambdash.packaging.unzip import unzip
from lambdash.packaging.zipping import write_zip


def tree(root: Path, *, at: int) -> Path:
    """Made in the order ``at`` says, with that time."""
    files = {"b/two.txt": "2", "a.py": "print()", "b/run": "#!/bin/sh"}
    names = sorted(files, reverse=bool(at % 2))
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name])
        os.utime(path, (at, at))
    (root / "b/run").chmod(0o755)
    (root / "link").symlink_to("a.py")
    (root / "folder").symlink_to("b")
    return root


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    write_zip(folder, buffer)
    return buffer.getvalue()


def test_times_and_order_do_not_count(tmp_path: Path) -> None:
    assert zipped(tree(tmp_path / "x", at=1)) == zipped(tree(tmp_path / "y", at=1_000_000_000))


def test_it_unpacks_to_the_same(tmp_path: Path) -> None:
    content = zipped(tree(tmp_path / "x", at=1))
    entries = unzip(io.BytesIO(content), tmp_path / "y", "test")
    assert {name: entry.link for name, entry in entries.items()} == {
        "a.py": None,
        "b/run": None,
        "b/two.txt": None,
        "folder": "b",
        "link": "a.py",
    }
    assert os.access(tmp_path / "y/b/run", os.X_OK)
    assert (tmp_path / "y/b/two.txt").read_text() == "2"
