"""Running a foreign installer: its lines become progress, its failure carries its last words."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lambdash import limits
from lambdash.errors import PlatformError

_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")

Talk: TypeAlias = Callable[[str], None]
"""Takes one line of what an installation says."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, and with which variables (all of them)."""

    argv: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    timeout_s: float = limits.DEPENDENCIES_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended; ``lines`` are the first and the last of what it said.

    Some tools begin with the reason and end with a page of usage, others the other way round. No
    escape sequence and no credentials of a URL come through.
    """

    exit_code: int
    lines: tuple[str, ...]


async def run(command: Command, talk: Talk) -> Ended:
    """Run to the end. A cancelled caller, or the time limit, ends the whole process group."""
    process = await asyncio.create_subprocess_exec(
        *command.argv,
        cwd=command.folder,
        env=dict(command.variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(command.timeout_s):
            assert process.stdout is not None
            lines = await _read_lines(process.stdout, talk)
            return Ended(await process.wait(), lines)
    except TimeoutError as error:
        raise PlatformError(
            "dependencies-timeout",
            f"`{Path(command.argv[0]).name}` took over {command.timeout_s:.0f} s",
            "check the network and the package index",
        ) from error
    finally:
        await _end(process)


async def _read_lines(stream: asyncio.StreamReader, talk: Talk) -> tuple[str, ...]:
    kept = _Kept()
    rest = b""
    while block := await stream.read(64 * 1024):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[: limits.COMMAND_LINE_MAX_CHARS]
        for line in lines:
            _keep(line, kept, talk)
    _keep(rest, kept, talk)
    return kept.all


class _Kept:
    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=limits.COMMAND_LAST_LINES_KEPT)
        self._left_out = 0

    def add(self, line: str) -> None:
        if len(self._first) < limits.COMMAND_FIRST_LINES_KEPT:
            self._first.append(line)
            return
        self._left_out += len(self._last) == self._last.maxlen
        self._last.append(line)

    @property
    def all(self) -> tuple[str, ...]:
        gap = (f"... {self._left_out} lines left out ...",) if self._left_out else ()
        return (*self._first, *gap, *self._last)


def _keep(line: bytes, kept: _Kept, talk: Talk) -> None:
    text = _CONTROLS.sub("", line.decode(errors="replace"))
    text = without_credentials(text.rstrip())[: limits.COMMAND_LINE_MAX_CHARS]
    if text:
        kept.add(text)
        talk(text.strip())


def without_credentials(text: str) -> str:
    """The text with the user part of every URL masked."""
    return _CREDENTIALS.sub("://****@", text)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
