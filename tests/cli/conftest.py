"""Fixtures of the command line's tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def cli() -> Iterator[CommandLine]:
    """A project with a short path, so that its socket can be addressed."""
    with tempfile.TemporaryDirectory(prefix="ld-", dir="/tmp") as root:
        yield CommandLine.in_project(Path(root))
