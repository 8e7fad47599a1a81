"""Finds and kills processes a dead daemon or a dead launcher left behind, and no others.

A pid alone may be somebody else's by now, so a record holds the process's start time too; and on
Linux what descends from a runtime is known by the variables it was started with.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PS_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process for all time: ``started`` is the kernel's own stamp, whatever its unit."""

    pid: int
    started: str

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"pid": self.pid, "started": self.started}))

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """None for what is no record: a daemon may have died while writing it."""
        try:
            document = json.loads(path.read_text())
            return cls(int(document["pid"]), str(document["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord | None":
        """The record of a living process; None when there is none."""
        started = _started_linux(pid) if sys.platform == "linux" else _started_ps(pid)
        return None if started is None else cls(pid, started)

    def kill(self) -> bool:
        """SIGKILL to the process and its group, if it is still the same; whether it was."""
        if self.pid <= 1 or ProcessRecord.of(self.pid) != self:
            return False
        for target in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                target(self.pid, signal.SIGKILL)
        return True


def _started_linux(pid: int) -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    # the fields after the name: state, ppid, ..., start time is the 20th of them
    return None if fields[0] == "Z" else f"{boot}:{fields[19]}"


def _started_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_PS_MAX_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.decode().strip() or None


def kill_started_with(name: str, value_prefix: str, also: str | None = None) -> int:
    """SIGKILL to our processes started with ``name=value_prefix...`` (and the variable ``also``).

    Repeated until none is left, as they may fork meanwhile; how many were killed. Linux only:
    elsewhere another process's variables cannot be read, and the answer is 0.
    """
    killed = 0
    for _ in range(16):
        found = list(_started_with(f"{name}={value_prefix}".encode(), also and also.encode()))
        if not found:
            break
        for descriptor in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                killed += 1
            os.close(descriptor)
    return killed


def _started_with(wanted: bytes, also: bytes | str | None) -> Iterator[int]:
    """A pidfd for each, opened before its variables were read: a reused pid is never hit."""
    if sys.platform != "linux":
        return
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            descriptor = os.pidfd_open(int(entry))
        except OSError:
            continue
        variables = _variables(entry)
        if any(each.startswith(wanted) for each in variables) and (not also or also in variables):
            yield descriptor
        else:
            os.close(descriptor)


def _variables(pid: str) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
