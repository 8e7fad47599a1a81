"""One run of the suite: where it writes, and what it has left on this machine.

All workers of a run share it. Others may run their own suite on the same machine and engine at the
same time: only what bears this session's marks counts.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from lambdash.engines.docker.address import Surroundings, find_address

_PROC = Path("/proc")
_END_TIMEOUT_S = 5.0  # what was killed last may need a moment to be gone


@dataclass(frozen=True, slots=True)
class Session:
    """``root`` is the folder for temporary files of every process of the session."""

    root: Path

    @classmethod
    def begin(cls) -> "Session":
        """A new one, for this process and all that it starts."""
        # failed tests' folders stay where pytest keeps them for people
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        root = tempfile.mkdtemp(prefix="ld-", dir="/tmp")  # short: sockets lie below
        os.environ["TMPDIR"] = root
        # commands start as they do for users, who have bytecode
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        tempfile.tempdir = None
        session = cls.current()
        session._labels.mkdir()
        session._folders.mkdir()
        return session

    @classmethod
    def current(cls) -> "Session":
        """The one that this process is of."""
        return cls(Path(tempfile.gettempdir()))

    @property
    def store(self) -> Path:
        """The store of packages and runtime clients that tests share."""
        return self.root / "store"

    @property
    def _labels(self) -> Path:
        return self.root / "labels"

    @property
    def _folders(self) -> Path:
        return self.root / "folders"

    def claim(self, label: str) -> None:
        """Whatever bears ``label`` (``name=value``) in an engine is of this session."""
        (self._labels / label).touch()

    def watch(self, folder: Path) -> None:
        """Whatever process runs from ``folder``, or knows of it, is of this session."""
        (self._folders / str(os.getpid())).symlink_to(folder)

    def leftovers(self) -> list[str]:
        """Processes, containers, networks and volumes, for people to read."""
        deadline = time.monotonic() + _END_TIMEOUT_S
        while (left := sorted(self._left())) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _left(self) -> Iterator[str]:
        for folder in (self.root, *map(Path.readlink, self._folders.iterdir())):
            yield from (described(pid) for pid in processes_of(folder))
        claimed = [path.name for path in self._labels.iterdir()]
        address = find_address(Surroundings(os.environ, Path.home())) if claimed else None
        if address is not None:
            with closing(docker.APIClient(base_url=address.url, version="auto")) as client:
                for label in claimed:
                    yield from labelled(client, label)

    def end(self) -> None:
        """Remove the folder, with all that tests left in it."""
        shutil.rmtree(self.root)


def labelled(client: Any, label: str) -> set[str]:
    """Containers, networks and volumes that bear ``label``, by kind and name."""
    mine = {"label": [label]}
    containers = client.containers(all=True, filters=mine)
    networks = client.networks(filters=mine)
    volumes = client.volumes(filters=mine)["Volumes"] or []
    return {
        *(f"container {entry['Names'][0]} {entry['Id'][:12]}" for entry in containers),
        *(f"network {entry['Name']} {entry['Id'][:12]}" for entry in networks),
        *(f"volume {entry['Name']}" for entry in volumes),
    }


def processes_of(folder: Path) -> set[int]:
    """Processes that have ``folder`` in their variables or arguments, or work in it; not this."""
    found = {int(entry.name) for entry in _PROC.glob("[0-9]*") if _is_of(entry, folder)}
    return found - {os.getpid()}


def _is_of(process: Path, folder: Path) -> bool:
    mark = os.fsencode(folder) + b"/"
    try:
        # variables end with a zero byte, and the folder itself may be one's value
        variables = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        working = os.fsencode(os.readlink(process / "cwd")) + b"/"
    except OSError:
        return False
    return mark in variables.replace(b"\0", b"/") or working.startswith(mark)


def described(pid: int) -> str:
    """A process, for people to read."""
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        command = b"(gone)"
    return f"process {pid} {command.replace(bytes(1), b' ').decode(errors='replace')[:200]}"
