"""Folders, a store and a clock of one test's own."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambdash.model import FolderSource, Function, FunctionConfiguration
from lambdash.packaging import Builder, PackageStore


class LaterClock:
    """The machine's clock, set ahead, so that files just written count as settled."""

    def __init__(self, ahead_s: float = 60.0) -> None:
        self.ahead_s = ahead_s

    def monotonic(self) -> float:
        return 0.0

    def wall(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def epoch(self) -> float:
        return self.wall().timestamp()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "code"
    path.mkdir()
    (path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    return path


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
def store(tmp_path: Path, clock: LaterClock) -> Iterator[PackageStore]:
    store = PackageStore(tmp_path / "store", clock)
    yield store
    store.close()


@pytest.fixture
def builder(store: PackageStore, clock: LaterClock) -> Builder:
    return Builder(store, clock, {**os.environ, "LAMBDASH_BYTECODE": "0"})


def function(
    folder: Path,
    runtime: str = "python3.12",
    architecture: str = "x86_64",
    handler: str | None = "app.handler",
) -> Function:
    configuration = FunctionConfiguration("hello", runtime, handler, architecture)
    return Function(configuration, FolderSource(folder))
