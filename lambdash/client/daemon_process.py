"""Starting and stopping the daemon's process; imported only when there is one to start or stop."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from lambdash import limits, locations
from lambdash.client.connection import Connection, DaemonError
from lambdash.errors import CallerError, PlatformError, write_failed
from lambdash.model.project import Project

if TYPE_CHECKING:
    from lambdash.client.connection import Event
    from lambdash.client.control import Control

_POLL_S = 0.02


def command(project: Project, options: Sequence[str]) -> list[str]:
    """The daemon's command line; ``-P`` keeps modules of the user's folder out of its way."""
    python = [sys.executable, "-P", "-m", "lambdash.daemon"]
    return [*python, "--manifest", str(project.manifest), *options]


def start(
    project: Project, options: Sequence[str], argv: Sequence[str] | None = None
) -> Event | None:
    """Start the daemon detached and wait until it serves; None when another client was faster.

    ``argv`` replaces ``command(project, options)``. Returns the daemon's ready line. Raises
    what the daemon reported, or ``PlatformError`` ``daemon-died`` (with the end of its log),
    ``daemon-start-timeout`` or ``daemon-start-blocked``.
    """
    locations.secure_directory(str(project.runtime_dir), create=True)
    prepare_state(project.state_dir)
    with _alone(project.start_lock):
        if _is_listening(project.socket):
            return None
        project.socket.unlink(missing_ok=True)
        return _spawn(project, argv if argv is not None else command(project, options))


def prepare_state(folder: Path) -> None:
    """Make the state folder, private and ignored by git; ``PlatformError`` when that fails."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        failed = PlatformError(
            "state-directory-failed",
            f"{folder} cannot be made: {error.strerror}",
            "set XDG_STATE_HOME to a folder that can be written",
        )
        raise write_failed(error, failed) from error


def run_foreground(control: Control) -> NoReturn:
    """Become the daemon: this process is replaced, and logs to the terminal."""
    project = control.project()
    locations.secure_directory(str(project.runtime_dir), create=True)
    prepare_state(project.state_dir)
    if _is_listening(project.socket):
        raise CallerError(
            "daemon-running", "this project's daemon already runs", "`lambdash stop` ends it"
        )
    argv = command(project, control.settings.daemon_options())
    os.execv(argv[0], argv)  # noqa: S606 - our own interpreter


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the start lock: of several clients one starts the daemon, the others find it."""
    deadline = time.monotonic() + limits.DAEMON_START_TIMEOUT_S
    with path.open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise _blocked(path) from None
                time.sleep(_POLL_S)
        yield


def _is_listening(path: Path) -> bool:
    try:
        Connection.open(str(path)).close()
    except OSError:
        return False
    return True


def _spawn(project: Project, argv: Sequence[str]) -> Event:
    reading, writing = os.pipe()
    try:
        with _open_log(project.log) as log:
            process = subprocess.Popen(
                [*argv, "--ready-fd", str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=project.manifest.parent,
                pass_fds=(writing,),
                start_new_session=True,
            )
        os.close(writing)
        writing = -1
        try:
            return _ready(reading, process, project)
        except BaseException:
            _end(process)
            raise
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > limits.DAEMON_LOG_MAX_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _ready(descriptor: int, process: subprocess.Popen[bytes], project: Project) -> Event:
    line = _read_line(descriptor, project)
    if not line.endswith(b"\n"):
        with suppress(subprocess.TimeoutExpired):
            process.wait(limits.CONTROL_CONNECT_TIMEOUT_S)
        raise _died(process.returncode, project)
    document: Event = json.loads(line)
    if "error" in document:
        process.wait(limits.DAEMON_STOP_TIMEOUT_S)
        raise DaemonError(document["error"], int(document.get("exit_code", 3)))
    # The daemon outlives this client on purpose: nobody here will ever wait for it
    process.returncode = 0
    return document


def _read_line(descriptor: int, project: Project) -> bytes:
    deadline = time.monotonic() + limits.DAEMON_START_TIMEOUT_S
    line = b""
    while not line.endswith(b"\n") and len(line) < limits.CONTROL_LINE_MAX_BYTES:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise PlatformError(
                "daemon-start-timeout",
                f"the daemon did not serve within {limits.DAEMON_START_TIMEOUT_S:g} s",
                f"its log is {project.log}; `lambdash doctor` checks the machine",
            )
        chunk = os.read(descriptor, 64 * 1024)
        if not chunk:
            break
        line += chunk
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(limits.CONTROL_CONNECT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _died(exit_code: int | None, project: Project) -> PlatformError:
    ended = "closed its report" if exit_code is None else f"ended with exit code {exit_code}"
    lines = log_end(project.log)
    shown = "".join(f"\n  {line}" for line in lines)
    message = f"the daemon {ended} before it served" + (f"; its log ends:{shown}" if lines else "")
    return PlatformError("daemon-died", message, f"the whole log is {project.log}")


def log_end(path: Path) -> list[str]:
    """The last lines of the daemon's log, for an error message; empty when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 16 * 1024))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines[-limits.DAEMON_LOG_SHOWN_LINES :]


def _blocked(path: Path) -> PlatformError:
    return PlatformError(
        "daemon-start-blocked",
        f"another command has been starting the daemon for {limits.DAEMON_START_TIMEOUT_S:g} s",
        f"end that command; the lock is {path}",
    )


def stop(connect: Callable[[], Connection | None]) -> Event | None:
    """Ask the daemon to stop and wait until its process is gone; None when none runs.

    No version or engine is sent, so a daemon of any version obeys. Raises ``PlatformError``
    ``daemon-still-running`` when it has not ended in ``DAEMON_STOP_TIMEOUT_S``.
    """
    probe = connect()
    if probe is None:
        return None
    pid = int(probe.health()["pid"])
    connection = connect()
    if connection is None:
        return None
    connection.set_timeout(limits.DAEMON_STOP_TIMEOUT_S)
    try:
        result = [*connection.call("stop", {}, {})][-1]
    except TimeoutError as error:
        raise _still_running(pid) from error
    if not wait_until_gone(pid, limits.DAEMON_STOP_TIMEOUT_S):
        raise _still_running(pid)
    return result


def wait_until_gone(pid: int, timeout_s: float) -> bool:
    """Whether the process ended within the time; a zombie of another parent counts as ended."""
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], timeout_s)[0])
        finally:
            os.close(descriptor)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(_POLL_S)
    return False


def _still_running(pid: int) -> PlatformError:
    return PlatformError(
        "daemon-still-running",
        f"the daemon (process {pid}) has not ended in {limits.DAEMON_STOP_TIMEOUT_S:g} s",
        f"`kill -9 {pid}`; the next start removes what it leaves",
    )
