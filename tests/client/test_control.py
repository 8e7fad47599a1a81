"""Control: a daemon of another version is replaced, answers are read whole, waiting is bounded."""

import socket as sockets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdash.client.connection import Connection, DaemonError
from lambdash.client.control import Control, working_folder
from lambdash.client.settings import Settings
from lambdash.errors import CallerError, PlatformError
from tests.client.scripted_daemon import Event, ScriptedDaemon, succeeded


@pytest.fixture
def control() -> Iterator[Control]:
    with tempfile.TemporaryDirectory(prefix="ld-", dir="/tmp") as root:
        (Path(root) / "lambdash.yaml").touch()
        yield Control(Settings(engine="process"), {"TMPDIR": root, "HOME": root}, root)


def test_a_daemon_of_another_engine_is_stopped_and_replaced(control: Control) -> None:
    path = Path(control.socket)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    replacements: list[ScriptedDaemon] = []

    def stop(_: Event) -> list[Event]:
        path.unlink()
        replacements.append(ScriptedDaemon(path, {"invoke": [succeeded()]}))
        process.communicate(b"\n")
        return [{"event": "result", "stopped": {}}]

    refusal = (409, {"code": "engine-differs", "message": "docker runs", "hint": ""})
    seen: list[Event] = []
    with ScriptedDaemon(path, {"invoke": refusal, "stop": stop}, pid=process.pid) as old:
        result = control.result("invoke", {}, seen.append)
        replacements[0].close()
    assert result["outcome"] == "succeeded"
    assert [event["text"] for event in seen] == [
        "the running daemon has another engine: stopping it and starting anew"
    ]
    assert old.verbs() == ["invoke", "stop"]
    assert old.requests[0][1]["x-lambdash-engine"] == "process"


def test_a_refusal_that_is_no_difference_is_raised(control: Control) -> None:
    refusal = (400, {"code": "request-invalid", "message": "malformed", "hint": ""})
    with (
        ScriptedDaemon(Path(control.socket), {"status": refusal}),
        pytest.raises(DaemonError) as caught,
    ):
        list(control.call("status", {}))
    assert (caught.value.code, caught.value.status) == ("request-invalid", 400)


def test_a_long_event_is_read_whole(control: Control) -> None:
    event = {"event": "result", "text": "x" * 3_000_000}
    with ScriptedDaemon(Path(control.socket), {"status": [event]}):
        assert list(control.call("status", {})) == [event]


def test_an_abandoned_answer_closes_the_connection(control: Control) -> None:
    script = {"dev": [{"event": "notice", "text": "watching"}, {"event": "hang"}]}
    with ScriptedDaemon(Path(control.socket), script) as daemon:
        events = control.call("dev", {})
        assert next(events)["text"] == "watching"
        events.close()
        assert daemon.disconnected.wait(10)


def test_waiting_ends_when_the_daemon_serves_or_the_time_is_up(control: Control) -> None:
    with pytest.raises(PlatformError) as caught:
        control.wait(0)
    assert caught.value.code == "daemon-not-serving"
    with ScriptedDaemon(Path(control.socket), {}):
        control.wait(10)


def test_another_port_than_asked_is_said_so(control: Control) -> None:
    control.settings.port = 4600
    control.check_port({"endpoint": "http://127.0.0.1:4600"})
    with pytest.raises(CallerError) as caught:
        control.check_port({"endpoint": "http://127.0.0.1:4566"})
    assert caught.value.code == "port-differs"


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\n" * 9]
)
def test_what_is_no_answer_is_a_lost_daemon(control: Control, answer: bytes) -> None:
    ours, theirs = sockets.socketpair()
    with theirs:
        theirs.sendall(answer)
        theirs.shutdown(sockets.SHUT_WR)
        with pytest.raises(PlatformError) as caught:
            list(Connection(ours).call("status", {}, {}))
    assert caught.value.code == "daemon-lost"


def test_a_removed_folder_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(CallerError) as raised:
        working_folder()
    assert raised.value.code == "folder-gone"
