"""Fixtures of the command line's tests."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambdash.cli import application
from tests.cli.command_line import CommandLine, Ran


@pytest.fixture
def cli() -> Iterator[CommandLine]:
    """A project with a short path, so that its socket can be addressed."""
    with tempfile.TemporaryDirectory(prefix="ld-", dir="/tmp") as root:
        yield CommandLine.in_project(Path(root))


@pytest.fixture
def inside(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., Ran]]:
    """``cli.run`` without a process of its own: for tests of many commands."""
    for name in [name for name in os.environ if name.startswith("LAMBDASH_")]:
        monkeypatch.delenv(name)
    for name, value in cli.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(cli.folder)
    time.tzset()

    def run(*words: str) -> Ran:
        code = application.run(words)
        stdout, stderr = capfdbinary.readouterr()
        return Ran(code, stdout, stderr.decode())

    yield run
    monkeypatch.undo()
    time.tzset()
