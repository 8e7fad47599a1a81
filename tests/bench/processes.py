"""Processes the benchmarks start and end, and what the kernel says about them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program and everything it starts, ended when the block is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """A port of the loopback address nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, timeout_s: float = 60.0, host: str = "127.0.0.1") -> None:
    """Return once something listens there; raises ``TimeoutError``."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1.0):
            return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on {host}:{port} after {timeout_s:g} s")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process so far, all its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def resident_mib(pid: int) -> float:
    """Resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES / 2**20


def wall_ms(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path) -> float:
    """How long a whole process takes, from before its start until it was waited for."""
    arguments = [str(part) for part in command]
    begin = time.perf_counter()
    finished = subprocess.run(
        arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    taken_ms = (time.perf_counter() - begin) * 1000
    if finished.returncode:
        tail = (finished.stdout + finished.stderr)[-2000:].decode(errors="replace")
        raise RuntimeError(f"{arguments} ended with {finished.returncode}: {tail}")
    return taken_ms
