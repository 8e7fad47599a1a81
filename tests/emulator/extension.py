"""An external extension as a test plays it, and what it listens with."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lambdash.testing import FakeEngine

API = "/2020-01-01/extension"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Extension:
    """Speaks to the Runtime API of the one sandbox of an engine in memory."""

    def __init__(self, engine: FakeEngine, name: str = "watcher") -> None:
        self._engine = engine
        self.name = name
        self.identifier = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own; header names have underscores."""
        (sandbox,) = self._engine.sandboxes.values()
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(sandbox.observer.runtime_connection, ours)
        reader, writer = await asyncio.open_connection(sock=theirs)
        try:
            content = b"" if body is None else json.dumps(body).encode()
            fields = {"Host": "x", "Content-Length": str(len(content))}
            if self.identifier:
                fields["Lambda-Extension-Identifier"] = self.identifier
            fields |= {name.replace("_", "-"): value for name, value in headers.items()}
            lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {fields[key]}" for key in fields)]
            writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.partition(": ") for line in head[1:] if line)
            given = {name.lower(): value for name, _, value in pairs}
            answer = await reader.readexactly(int(given["content-length"]))
            return Answer(int(head[0].split()[1]), given, answer)
        finally:
            writer.close()

    async def register(self, *events: str) -> Answer:
        answer = await self.ask(
            "POST", f"{API}/register", {"events": events}, Lambda_Extension_Name=self.name
        )
        self.identifier = answer.headers.get("lambda-extension-identifier", "")
        return answer

    async def next(self) -> Any:
        return (await self.ask("GET", f"{API}/event/next")).document

    async def subscribe(self, destination: Any, types: list[str], **more: Any) -> Answer:
        given = {"schemaVersion": "2022-07-01", "types": types, "destination": destination, **more}
        return await self.ask("PUT", "/2022-07-01/telemetry", given)


@dataclass
class Listener:
    """What a subscriber was posted. ``refusing`` answers with errors for so many posts."""

    port: int = 0
    records: list[Any] = field(default_factory=list)
    refusing: int = 0
    posts: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, kind: str, count: int = 1) -> list[Any]:
        """The records so far, once there are as many of a type."""
        async with asyncio.timeout(10):
            while sum(record["type"] == kind for record in self.records) < count:
                self._news.clear()
                await self._news.wait()
        return list(self.records)

    def kinds(self) -> list[str]:
        return [record["type"] for record in self.records]

    async def _posted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lowered = head.lower()
                length = int(lowered.partition("content-length: ")[2].partition("\r\n")[0])
                body = await reader.readexactly(length)
                self.posts += 1
                if self.refusing:
                    self.refusing -= 1
                    writer.write(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n")
                    continue
                self._take(json.loads(body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _streamed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self._take([json.loads(line)])
        writer.close()

    def _take(self, records: list[Any]) -> None:
        self.records += records
        self._news.set()


@asynccontextmanager
async def listening(*, tcp: bool = False) -> AsyncIterator[Listener]:
    """A subscriber's own server."""
    listener = Listener()
    serve = listener._streamed if tcp else listener._posted
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
