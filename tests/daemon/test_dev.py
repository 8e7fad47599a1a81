"""A dev session: what counts as an edit, and what is told of it. Loads are tested elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lambdash.daemon.lifecycle import Daemon, DaemonOptions
from lambdash.daemon.verbs.dev import _Follower
from lambdash.model.project import Project
from tests.daemon.test_control import request
from tests.daemon.test_lifecycle import MANIFEST, environ, project
from tests.http.wire import Peer

__all__ = ["project"]


@dataclass
class Session:
    """The client's side, which has seen ``watching`` already."""

    folder: Path
    peer: Peer
    socket: Path

    async def until(self, event: str) -> dict[str, Any]:
        """The next event of that kind; one chunk is one line."""
        async with asyncio.timeout(10):
            while True:
                line = await self.peer.reader.readline()
                assert line, "the session ended"
                if line.startswith(b"{") and (told := json.loads(line))["event"] == event:
                    return dict(told)


@pytest.fixture
async def session(project: Project, tmp_path: Path) -> AsyncIterator[Session]:
    bootstrap = tmp_path / "code" / "bootstrap"
    bootstrap.write_text("#!/bin/sh\nexec sleep 100\n")
    bootstrap.chmod(0o755)
    async with Daemon(DaemonOptions(project), environ(tmp_path)).serving():
        peer = Peer(*await asyncio.open_unix_connection(project.socket))
        await peer.send(request("dev"))
        session = Session(tmp_path, peer, project.socket)
        while (await session.until("notice"))["text"] != "watching hello":
            pass
        yield session
        await peer.close()


async def test_another_ignore_file_is_another_watch(session: Session) -> None:
    (session.folder / "code" / ".lambdashignore").write_text("*.log\n")
    assert (await session.until("notice"))["text"] == "watching hello"
    (session.folder / "code" / ".lambdashignore").unlink()
    assert (await session.until("notice"))["text"] == "watching hello"


async def test_a_broken_manifest_is_told_and_a_mended_one_heard(session: Session) -> None:
    manifest = session.folder / "lambdash.yaml"
    manifest.write_text("version: 9\n")
    told = await session.until("reload_failed")
    assert (told["function"], told["error"]["code"]) == ("manifest", "manifest-invalid")
    await session.until("notice")
    manifest.write_text(MANIFEST.replace("}\n", ", max_environments: 3}\n"))
    assert (await session.until("reload"))["function"] == "hello"


async def test_functions_are_watched_as_the_manifest_names_them(session: Session) -> None:
    manifest = session.folder / "lambdash.yaml"
    manifest.write_text(MANIFEST + MANIFEST.splitlines()[-1].replace("hello", "added") + "\n")
    told = await session.until("ready")
    assert told["functions"] == ["hello", "added"]
    assert told["endpoint"].startswith("http://127.0.0.1:")
    manifest.write_text(MANIFEST)
    assert (await session.until("ready"))["functions"] == ["hello"]


async def test_a_session_is_told_that_the_daemon_was_stopped(session: Session) -> None:
    stopper = Peer(*await asyncio.open_unix_connection(session.socket))
    await stopper.send(request("stop"))
    assert (await session.until("error"))["error"]["code"] == "daemon-stopped"
    await stopper.close()


async def test_the_platforms_routine_is_not_told() -> None:
    follower = _Follower(frozenset())
    rows = [
        ("platform", "START RequestId: 1 Version: $LATEST"),
        ("stdout", "START of my own"),
        ("platform", "INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: timeout"),
        ("platform", '{"time":"2026-01-31T12:00:00.000Z","type":"platform.start","record":{}}'),
    ]
    for stream, text in rows:
        follower.take((1.0, "hello", "e", None, stream, text))
    told: list[str] = []
    while not follower._lines.empty():
        told.append(follower._lines.get_nowait().text.split(" ")[0])
    assert told == ["START", "INIT_REPORT"]
