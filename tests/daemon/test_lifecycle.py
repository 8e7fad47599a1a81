"""A daemon's life in this process, with the process engine, which needs nothing installed."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdash import __version__, limits
from lambdash.daemon.lifecycle import Daemon, DaemonOptions
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.manifest import ManifestInvalid
from lambdash.model.project import Project, locate
from tests.daemon.test_control import request, unchunked
from tests.http.wire import Peer

MANIFEST = """version: 1
engine: process
functions:
  hello: {code: ./code, runtime: provided.al2023}
"""
Make = Callable[..., Daemon]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "code").mkdir()
    (tmp_path / "lambdash.yaml").write_text(MANIFEST)
    return locate(tmp_path / "lambdash.yaml", environ(tmp_path))


def environ(tmp_path: Path) -> dict[str, str]:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        "XDG_RUNTIME_DIR": str(runtime),
        "LAMBDASH_STORE": str(tmp_path / "store"),
        "HOME": str(tmp_path),
    }


@pytest.fixture
def make(project: Project, tmp_path: Path) -> Make:
    def make(**options: Any) -> Daemon:
        return Daemon(DaemonOptions(project, **options), environ(tmp_path))

    return make


async def ask(project: Project, verb: str, **body: Any) -> list[dict[str, Any]]:
    peer = Peer(*await asyncio.open_unix_connection(project.socket))
    content = json.dumps(body).encode()
    raw = await peer.exchange(request(verb, content, "Connection: close\r\n"))
    await peer.close()
    head, _, answer = raw.partition(b"\r\n\r\n")
    text = unchunked(answer) if b"chunked" in head.lower() else answer
    return [json.loads(line) for line in text.splitlines()]


async def test_it_serves_and_leaves_nothing(make: Make, project: Project) -> None:
    daemon = make()
    async with daemon.serving():
        [status] = await ask(project, "status")
        assert status["endpoint"] == daemon.endpoint
        assert status["engine"] == "process"
        assert [one["state"] for one in status["functions"]] == ["NotDeployed"]
        assert project.socket.stat().st_mode & 0o777 == 0o600
        assert (project.state_dir / ".gitignore").read_text() == "*\n"
    assert not project.socket.exists()
    port = int(daemon.endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_one_daemon_a_project(make: Make) -> None:
    async with make().serving():
        with pytest.raises(CallerError) as raised:
            async with make().serving():
                pass
        assert raised.value.code == "daemon-running"
    async with make().serving():
        """The lock is free again."""


async def test_what_could_not_come_up_is_undone(make: Make, project: Project) -> None:
    async with make().serving() as first:
        port = int(first.endpoint.rpartition(":")[2])
        other = project.manifest.parent / "other"
        other.mkdir()
        (other / "code").mkdir()
        (other / "lambdash.yaml").write_text(MANIFEST)
        home = project.manifest.parent
        second = locate(other / "lambdash.yaml", environ(home))
        with pytest.raises(PlatformError) as raised:
            async with Daemon(DaemonOptions(second, port=port), environ(home)).serving():
                pass
        assert raised.value.code == "port-in-use"
        assert not second.socket.exists()
        async with Daemon(DaemonOptions(second), environ(home)).serving() as beside:
            assert beside.endpoint != first.endpoint, "the next free one"


async def test_a_broken_manifest_starts_nothing(make: Make, project: Project) -> None:
    project.manifest.write_text("version: 9\n")
    with pytest.raises(ManifestInvalid):
        async with make().serving():
            pass
    assert not project.socket.exists()


async def test_an_unknown_engine(make: Make) -> None:
    with pytest.raises(LambdashError) as raised:
        async with make(engine="cloud").serving():
            pass
    assert raised.value.code == "engine-unknown"


async def test_stop_ends_it_and_says_what_went(make: Make, project: Project) -> None:
    async with make().serving() as daemon:
        waiting = asyncio.ensure_future(daemon.wait())
        [result] = await ask(project, "stop")
        assert result["event"] == "result"
        assert result["stopped"] == {"environments": 0, "processes": 0}
        await asyncio.wait_for(waiting, 5)


async def test_being_asked_to_end(make: Make) -> None:
    async with make().serving() as daemon:
        daemon.end()
        await asyncio.wait_for(daemon.wait(), 5)


async def test_it_ends_when_nobody_asks_for_long(make: Make) -> None:
    async with make(idle_timeout_s=0.01).serving() as daemon:
        await asyncio.wait_for(daemon.wait(), 5)


async def test_an_open_request_keeps_it(make: Make, project: Project) -> None:
    async with make(idle_timeout_s=0.01).serving() as daemon:
        peer = Peer(*await asyncio.open_unix_connection(project.socket))
        await peer.send(request("logs", b'{"follow": true}'))
        async with asyncio.timeout(5):
            while not daemon._requests.open:
                await asyncio.sleep(0)
        waiting = asyncio.ensure_future(daemon.wait())
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        await peer.close()
        await asyncio.wait_for(waiting, 5)


async def test_a_setting_for_life_makes_it_the_wrong_daemon(make: Make, project: Project) -> None:
    async with make().serving():
        project.manifest.write_text(MANIFEST.replace("version: 1", "version: 1\nregion: eu-west-1"))
        peer = Peer(*await asyncio.open_unix_connection(project.socket))
        header = f"x-lambdash-version: {__version__}\r\nConnection: close\r\n"
        raw = await peer.exchange(request("status", b"{}", header))
        await peer.close()
        assert raw.startswith(b"HTTP/1.1 409 ")
        assert b'"manifest-differs"' in raw
        [status] = await ask(project, "status")
        assert status["event"] == "result", "who takes nothing for granted is answered"


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("invoke", {"function": "helo"}, "function-not-found"),
        ("invoke", {"function": "no such"}, "function-not-found"),
        ("invoke", {}, "request-invalid"),
        ("invoke", {"function": "hello", "qualifier": "prod"}, "qualifier-not-found"),
        ("invoke", {"function": "hello", "pull": "sometimes"}, "request-invalid"),
        ("invoke", {"function": "hello"}, "bootstrap-missing"),
        ("logs", {"since_s": "soon"}, "request-invalid"),
        ("logs", {"limit": True}, "request-invalid"),
        ("history", {"limit": "all"}, "request-invalid"),
        ("deploy", {"functions": ["nobody"]}, "function-not-found"),
        ("logs", {"function": "nobody"}, "function-not-found"),
        ("trace", {"request_id": "nothing"}, "invocation-not-found"),
        ("image_build", {"runtime": "python3.13", "from_host": True}, "image-needs-engine"),
        ("image_build", {"runtime": "python3.13"}, "image-source-missing"),
    ],
)
async def test_refusals(
    make: Make, project: Project, verb: str, body: dict[str, Any], code: str
) -> None:
    async with make().serving():
        last = (await ask(project, verb, **body))[-1]
    assert (last["event"], last["error"]["code"]) == ("error", code)


async def test_the_plan_of_a_project_not_deployed(make: Make, project: Project) -> None:
    async with make().serving():
        [result] = await ask(project, "deploy", dry_run=True)
    assert result["plan"] == [{"function": "hello", "action": "create", "why": []}]
    assert result["functions"] == []


async def test_who_stops_takes_nothing_new(make: Make, project: Project) -> None:
    daemon = make()
    async with daemon.serving():
        await daemon.shutdown()
        [refused] = await ask(project, "status")
        assert (refused["error"]["code"], refused["exit_code"]) == ("daemon-stopping", 3)
        [stopped] = await ask(project, "stop")
        assert stopped["event"] == "result"
        port = int(daemon.endpoint.rpartition(":")[2])
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
        head = (
            f"POST /2015-03-31/functions/hello/invocations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        )
        answer = await peer.exchange(
            f"{head}Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert answer.startswith(b"HTTP/1.1 503 ")
        await peer.close()


async def test_a_removed_socket_is_there_again(
    make: Make, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DAEMON_REACH_CHECK_S", 0.01)
    daemon = make()
    async with daemon.serving(), asyncio.timeout(10):
        waiting = asyncio.ensure_future(daemon.wait())
        project.socket.unlink()
        while not project.socket.exists():
            await asyncio.sleep(0)
        [status] = await ask(project, "status")
        assert status["event"] == "result"
        daemon.end()
        await waiting


async def test_a_removed_lock_ends_it(
    make: Make, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another daemon could be started beside it, and would take it for dead."""
    monkeypatch.setattr(limits, "DAEMON_REACH_CHECK_S", 0.01)
    daemon = make()
    async with daemon.serving(), asyncio.timeout(10):
        project.lock.unlink()
        await daemon.wait()
