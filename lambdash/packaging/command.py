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


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended; ``last_lines`` are free of escape sequences and of credentials in URLs."""

    exit_code: int
    last_lines: tuple[str, ...]


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
        async with asyncio.timeout(limits.DEPENDENCIES_TIMEOUT_S):
            assert process.stdout is not None
            lines = await _read_lines(process.stdout, talk)
            return Ended(await process.wait(), lines)
    except TimeoutError as error:
        raise PlatformError(
            "dependencies-timeout",
            f"`{Path(command.argv[0]).name}` took over {limits.DEPENDENCIES_TIMEOUT_S:.0f} s",
            "check the network and the package index",
        ) from error
    finally:
        await _end(process)


async def _read_lines(stream: asyncio.StreamReader, talk: Talk) -> tuple[str, ...]:
    kept: deque[str] = deque(maxlen=limits.COMMAND_LINES_KEPT)
    rest = b""
    while block := await stream.read(64 * 1024):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[: limits.COMMAND_LINE_MAX_CHARS]
        for line in lines:
            _keep(line, kept, talk)
    _keep(rest, kept, talk)
    return tuple(kept)


def _keep(line: bytes, kept: deque[str], talk: Talk) -> None:
    text = _CONTROLS.sub("", line.decode(errors="replace"))
    text = without_credentials(text.rstrip())[: limits.COMMAND_LINE_MAX_CHARS]
    if text:
        kept.append(text)
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
