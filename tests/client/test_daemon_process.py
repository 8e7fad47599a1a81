"""Starting a daemon's process: readiness, every way to fail, and several clients at once."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lambdash.client import daemon_process
from lambdash.client.connection import DaemonError
from lambdash.errors import LambdashError, PlatformError
from lambdash.model.project import Project, locate
from tests.client.scripted_daemon import Event

_SERVE = """
import json, os, socket, sys
path, starts = sys.argv[1:3]
with open(starts, "a") as file:
    file.write("started\\n")
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
os.write(int(sys.argv[-1]), json.dumps({"ok": True, "pid": os.getpid()}).encode() + b"\\n")
while True:
    listener.accept()[0].close()
"""
_REFUSE = """
import os, sys
error = b'{"error": {"code": "port-in-use", "message": "taken", "hint": "free it"}, "exit_code": 2}'
os.write(int(sys.argv[-1]), error + b"\\n")
sys.exit(2)
"""
_DIE = "import sys; print('cannot go on'); sys.exit(7)"
_HANG = """
import os, select, sys
with open(sys.argv[2], "w") as file:
    file.write(str(os.getpid()))
select.select([], [], [])
"""
_HALF = "import os, sys; os.write(int(sys.argv[-1]), b'{'); sys.exit(1)"


@pytest.fixture
def project() -> Iterator[Project]:
    with tempfile.TemporaryDirectory(prefix="ld-", dir="/tmp") as root:
        manifest = Path(root) / "lambdash.yaml"
        manifest.touch()
        yield locate(manifest, {"TMPDIR": root, "HOME": root})


def start(project: Project, program: str) -> Event | None:
    argv = [sys.executable, "-c", program, str(project.socket), f"{project.log}.starts"]
    return daemon_process.start(project, [], argv)


def end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM


def test_a_daemon_is_started_detached_and_known_to_be_ready(project: Project) -> None:
    ready = start(project, _SERVE)
    assert ready is not None
    pid = ready["pid"]
    assert os.getsid(pid) == pid
    assert project.state_dir.stat().st_mode & 0o777 == 0o700
    assert (project.state_dir / ".gitignore").read_text() == "*\n"
    assert start(project, _SERVE) is None
    end(pid)


def test_a_stale_socket_is_recovered(project: Project) -> None:
    project.runtime_dir.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(project.socket))
    ready = start(project, _SERVE)
    assert ready is not None
    end(ready["pid"])


def test_of_several_clients_one_starts_the_daemon(project: Project) -> None:
    answers: list[Event | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(start(project, _SERVE))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    started = [answer for answer in answers if answer is not None]
    assert (len(answers), len(started)) == (4, 1)
    assert Path(f"{project.log}.starts").read_text() == "started\n"
    end(started[0]["pid"])


def test_what_the_daemon_reports_is_raised(project: Project) -> None:
    with pytest.raises(DaemonError) as caught:
        start(project, _REFUSE)
    error = caught.value
    assert (error.code, error.message, error.hint) == ("port-in-use", "taken", "free it")
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("program", "code", "text"), [(_DIE, 7, "cannot go on"), (_HALF, 1, "before it served")]
)
def test_a_daemon_that_dies_shows_the_end_of_its_log(
    project: Project, program: str, code: int, text: str
) -> None:
    with pytest.raises(PlatformError) as caught:
        start(project, program)
    assert caught.value.code == "daemon-died"
    assert f"exit code {code}" in caught.value.message
    assert text in caught.value.message
    assert str(project.log) in caught.value.hint


def test_a_daemon_that_never_gets_ready_is_ended(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_process.limits, "DAEMON_START_TIMEOUT_S", 1.0)
    with pytest.raises(PlatformError) as caught:
        start(project, _HANG)
    assert caught.value.code == "daemon-start-timeout"
    pid = int(Path(f"{project.log}.starts").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_log_that_has_grown_is_put_aside(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_process.limits, "DAEMON_LOG_MAX_BYTES", 3)
    project.state_dir.mkdir(parents=True)
    project.log.write_text("older\n")
    with pytest.raises(PlatformError):
        start(project, _DIE)
    assert project.log.with_suffix(".log.1").read_text() == "older\n"
    assert project.log.read_text() == "cannot go on\n"


def test_a_state_folder_that_cannot_be_made_is_said_so(project: Project) -> None:
    blocked = project.manifest / "below-a-file"
    with pytest.raises(PlatformError) as caught:
        start(replace(project, state_dir=blocked), _SERVE)
    assert caught.value.code == "state-directory-failed"


def test_a_runtime_folder_of_somebody_else_is_refused(project: Project) -> None:
    project.runtime_dir.symlink_to(project.manifest.parent)
    with pytest.raises(LambdashError) as caught:
        start(project, _SERVE)
    assert caught.value.code == "runtime-directory-unsafe"


def test_the_daemon_s_command_line_ignores_modules_of_the_user_s_folder(project: Project) -> None:
    argv = daemon_process.command(project, ["--engine", "process"])
    assert argv[1:4] == ["-P", "-m", "lambdash.daemon"]
    assert argv[4:] == ["--manifest", str(project.manifest), "--engine", "process"]


def test_waiting_for_a_process_to_end() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not daemon_process.wait_until_gone(process.pid, 0)
    process.communicate(b"\n")
    assert daemon_process.wait_until_gone(process.pid, 10)
