"""The control door over a real unix socket: shapes of answers, refusals, cancellation, bugs."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambdash.daemon.activity import Activity
from lambdash.daemon.control import Control, EventStream, Identity, Verb
from lambdash.errors import PlatformError
from lambdash.http.server import HttpBounds, serve_unix
from lambdash.model.progress import Progress
from lambdash.tasks import Tasks
from tests.http.wire import Peer

OWN = {b"x-lambdash-version": "1.0", b"x-lambdash-engine": "fake", b"x-lambdash-env-vars": ""}


@dataclass
class Door:
    """A control socket with the verbs of a test."""

    path: Path
    activity: Activity
    verbs: dict[str, Verb]
    changed: list[str] = field(default_factory=list)

    async def peer(self) -> Peer:
        return Peer(*await asyncio.open_unix_connection(self.path))

    async def ask(
        self, verb: str, body: bytes = b"{}", headers: str = "", method: str = "POST"
    ) -> tuple[int, list[dict[str, Any]]]:
        """Status and the lines of the answer."""
        peer = await self.peer()
        raw = await peer.exchange(request(verb, body, f"{headers}Connection: close\r\n", method))
        await peer.close()
        head, _, content = raw.partition(b"\r\n\r\n")
        if b"chunked" in head.lower():
            content = unchunked(content)
        return int(head.split()[1]), [json.loads(line) for line in content.splitlines()]


def request(verb: str, body: bytes = b"{}", headers: str = "", method: str = "POST") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} /v1/{verb} HTTP/1.1\r\nHost: x\r\n{length}{headers}\r\n".encode() + body


def unchunked(content: bytes) -> bytes:
    found = b""
    while content:
        size, _, rest = content.partition(b"\r\n")
        found += rest[: int(size, 16)]
        content = rest[int(size, 16) + 2 :]
    return found


async def hello(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    return {"asked": body}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    tasks = Tasks()
    door = Door(tmp_path / "s", Activity(), {"hello": hello})
    identity = Identity(OWN, lambda: "".join(door.changed))
    control = Control(door.verbs, tasks, identity, door.activity)
    server = await serve_unix(control.handle, door.path, HttpBounds(body_bytes=100_000))
    yield door
    await tasks.cancel()
    await server.close(0.5)


async def test_a_result_alone_is_one_line(door: Door) -> None:
    status, lines = await door.ask("hello", b'{"a": 1}')
    assert (status, lines) == (200, [{"event": "result", "asked": {"a": 1}}])


async def test_an_empty_body_is_an_empty_object(door: Door) -> None:
    assert await door.ask("hello", b"") == (200, [{"event": "result", "asked": {}}])


async def test_events_come_before_the_result(door: Door) -> None:
    async def busy(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
        stream.notice("building")
        stream.progress(Progress("hello: image", "pulling", 1, 2, "MB"))
        await stream.drain()
        return {}

    door.verbs["busy"] = busy
    assert await door.ask("busy") == (
        200,
        [
            {"event": "notice", "text": "building"},
            {
                "event": "progress",
                "task": "hello: image",
                "text": "pulling",
                "done": 1,
                "total": 2,
                "unit": "MB",
                "finished": False,
            },
            {"event": "result"},
        ],
    )


@pytest.mark.parametrize("spoken", [False, True])
async def test_an_error_is_the_last_line(door: Door, spoken: bool) -> None:
    async def failing(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
        if spoken:
            stream.notice("trying")
        raise PlatformError("no-luck", "it failed", "try again")

    door.verbs["failing"] = failing
    status, lines = await door.ask("failing")
    assert status == 200
    assert len(lines) == (2 if spoken else 1)
    assert lines[-1] == {
        "event": "error",
        "exit_code": 3,
        "error": {"code": "no-luck", "message": "it failed", "hint": "try again"},
    }


@pytest.mark.parametrize(
    "body",
    [b"[]", b"1", b"{", b"\xff", b"[" * 50_000],
    ids=["list", "number", "open", "bytes", "deep"],
)
async def test_what_is_no_object_is_the_callers_mistake(door: Door, body: bytes) -> None:
    status, lines = await door.ask("hello", body)
    assert (status, lines[0]["error"]["code"]) == (200, "request-invalid")
    assert lines[0]["exit_code"] == 2


@pytest.mark.parametrize("bug", [KeyError("missing"), ValueError("not a number")])
async def test_a_bug_is_answered_and_logged(
    door: Door, caplog: pytest.LogCaptureFixture, bug: Exception
) -> None:
    async def broken(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
        raise bug

    door.verbs["broken"] = broken
    with caplog.at_level(logging.ERROR, "lambdash.control"):
        status, lines = await door.ask("broken")
    assert status == 200
    assert lines[0]["error"]["code"] == "internal-error"
    assert lines[0]["error"]["message"] == f"{type(bug).__name__}: {bug}"
    assert "daemon.log" in lines[0]["error"]["hint"]
    assert "in broken" in caplog.text, "the log has the traceback"
    assert (await door.ask("hello"))[0] == 200, "the daemon lives on"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("x-lambdash-version: 2.0", "version-differs"),
        ("x-lambdash-engine: docker", "engine-differs"),
        ("x-lambdash-env-vars: /other.json", "env-vars-differs"),
    ],
)
async def test_a_daemon_of_another_kind_is_a_conflict(door: Door, header: str, code: str) -> None:
    status, lines = await door.ask("hello", headers=f"{header}\r\n")
    assert (status, lines[0]["error"]["code"]) == (409, code)
    assert "stop" in lines[0]["error"]["hint"]


async def test_the_same_kind_is_served(door: Door) -> None:
    headers = "x-lambdash-version: 1.0\r\nx-lambdash-engine: fake\r\nx-lambdash-env-vars: \r\n"
    assert (await door.ask("hello", headers=headers))[0] == 200


async def test_a_changed_setting_is_a_conflict_for_who_names_a_version(door: Door) -> None:
    door.changed.append("region")
    status, lines = await door.ask("hello", headers="x-lambdash-version: 1.0\r\n")
    assert (status, lines[0]["error"]["code"]) == (409, "manifest-differs")
    assert "`region`" in lines[0]["error"]["message"]
    assert (await door.ask("hello"))[0] == 200, "who takes nothing for granted is served"


@pytest.mark.parametrize(("method", "verb"), [("POST", "nothing"), ("GET", "hello"), ("POST", "")])
async def test_unknown(door: Door, method: str, verb: str) -> None:
    status, lines = await door.ask(verb, method=method)
    assert (status, lines[0]["error"]["code"]) == (400, "verb-unknown")


async def test_health(door: Door) -> None:
    status, lines = await door.ask("health", b"", method="GET")
    assert (status, lines) == (200, [{"status": "serving", "pid": os.getpid()}])


async def test_a_client_that_goes_cancels_its_verb(door: Door) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return {}

    door.verbs["endless"] = endless
    peer = await door.peer()
    await peer.send(request("endless"))
    async with asyncio.timeout(5):
        await begun.wait()
        assert door.activity.open == 1
        await peer.close()
        await cancelled.wait()
        while door.activity.open:
            await asyncio.sleep(0)


async def test_a_request_is_activity(door: Door) -> None:
    door.activity.last_at = 0.0
    await door.ask("hello")
    assert door.activity.last_at > 0.0
    assert door.activity.open == 0


async def test_requests_are_served_side_by_side(door: Door) -> None:
    gate = asyncio.Event()

    async def waiting(body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
        await gate.wait()
        return {}

    door.verbs["waiting"] = waiting
    first: Awaitable[Any] = asyncio.ensure_future(door.ask("waiting"))
    await door.ask("hello")
    gate.set()
    assert await asyncio.wait_for(first, 5) == (200, [{"event": "result"}])
