"""Records survive the process; a batch is stored wholly or not at all."""

import sqlite3
from pathlib import Path

import pytest

from lambdash.errors import PlatformError
from lambdash.storage.records import RecordStore, Write


def test_round_trip(tmp_path: Path) -> None:
    first = RecordStore(tmp_path / "r.sqlite")
    first.write([Write("a", "1", "{}"), Write("a", "2", "[]"), Write("b", "1", "0")])
    first.write([Write("a", "1", None), Write("a", "2", '"new"'), Write("c", "none", None)])
    first.close()
    second = RecordStore(tmp_path / "r.sqlite")
    assert sorted(second.load()) == [("a", "2", '"new"'), ("b", "1", "0")]
    second.close()


def test_a_batch_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    store = RecordStore(path)
    store.write([Write("a", "1", "old")])
    other = sqlite3.connect(path)
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.id = '2' "
        "BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    other.close()
    with pytest.raises(PlatformError):
        store.write([Write("a", "1", "new"), Write("a", "2", "x")])
    assert list(store.load()) == [("a", "1", "old")]
    store.close()
