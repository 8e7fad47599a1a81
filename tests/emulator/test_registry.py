"""The registry: memory at once, the file behind it, the same again after a restart."""

import random
import sqlite3
from pathlib import Path

import pytest

from lambdash.emulator.registry import Registry, VersionRecord
from lambdash.emulator.variables import Place
from lambdash.errors import PlatformError
from lambdash.model.arn import LATEST
from lambdash.storage.records import RecordStore, Write


def opened(path: Path) -> Registry:
    return Registry(RecordStore(path / "r.sqlite"), Place(), random.Random(1))


def filled(registry: Registry) -> None:
    registry.put(VersionRecord("f", LATEST, {"Timeout": 3, "State": "Pending"}))
    registry.put(VersionRecord("f", registry.next_version("f"), {"Timeout": 3}))
    registry.put_alias("f", "live", {"Name": "live", "FunctionVersion": "1"})
    registry.put_setting("tags", "f", {"a": "b"})
    registry.put_setting("policy", "f", {"c": "d"}, "live")
    registry.put_object("layer", "l:1", {"x": 1})


async def test_a_restart(tmp_path: Path) -> None:
    first = opened(tmp_path)
    filled(first)
    assert not first.all_written
    await first.written()
    assert first.all_written
    await first.close()
    second = opened(tmp_path)
    assert second.functions == first.functions
    assert second.objects("layer") == {"l:1": {"x": 1}}
    assert second.pending == {"f"}
    assert second.next_version("f") == "2"
    await second.close()


async def test_what_goes_with_what(tmp_path: Path) -> None:
    registry = opened(tmp_path)
    filled(registry)
    registry.remove_alias("f", "live")
    registry.remove_alias("f", "live")
    assert registry.settings("policy", "f") == {}
    assert registry.setting("tags", "f") == {"a": "b"}
    assert registry.remove_setting("tags", "f")
    assert not registry.remove_setting("tags", "f")
    registry.remove_version("f", "1")
    assert registry.version("f", "1") is None
    registry.remove("f")
    assert (registry.version("f"), registry.alias("f", "live")) == (None, None)
    assert registry.pending == set()
    assert registry.remove_object("layer", "l:1")
    assert not registry.remove_object("layer", "l:1")
    await registry.close()
    store = RecordStore(tmp_path / "r.sqlite")
    assert list(store.load()) == [("counter", "f", "1")], "numbers are never used again"
    store.close()


async def test_targets(tmp_path: Path) -> None:
    registry = opened(tmp_path)
    filled(registry)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert registry.target("f") == ("f", LATEST, "f", arn)
    assert registry.target("f", LATEST) == ("f", LATEST, "f", f"{arn}:$LATEST")
    assert registry.target("f", "live") == ("f", "1", "f:1", f"{arn}:live")
    assert registry.target("f", "2") is None
    assert registry.target("g") is None
    registry.remove_alias("f", "live")
    assert registry.target("f", "live") is None, "what is remembered is forgotten with a change"
    await registry.close()


async def test_a_write_that_fails_is_tried_again(tmp_path: Path) -> None:
    registry = opened(tmp_path)
    other = sqlite3.connect(tmp_path / "r.sqlite", isolation_level=None)
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    filled(registry)
    with pytest.raises(PlatformError):
        await registry.written()
    assert not registry.all_written
    other.execute("DROP TRIGGER full")
    other.close()
    await registry.close()
    again = opened(tmp_path)
    assert again.functions == registry.functions
    await again.close()


async def test_records_of_an_older_format(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "r.sqlite")
    old = '{"name": "f", "version": "$LATEST", "document": {}, "deployed": "{}"}'
    rest = [Write("alias", "f\tlive", "{}"), Write("setting", "tags\tf\t$LATEST", "{}")]
    store.write([Write("version", "f\t$LATEST", old), Write("strange", "x", "1"), *rest])
    store.close()
    registry = opened(tmp_path)
    assert registry.functions == {}
    await registry.close()
