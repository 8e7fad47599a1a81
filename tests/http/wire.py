"""A listener for a test, and a peer that speaks bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from lambdash.http.server import Handler, HttpBounds, HttpServer, Request, Responder, serve_tcp

BOUNDS = HttpBounds(body_bytes=1_000)


def echo(request: Request, responder: Responder) -> None:
    line = f"{request.method} {request.target.decode('latin-1')} ".encode()
    responder.send(200, (), line + request.body)


@dataclass
class Parked:
    """A handler that answers nothing by itself."""

    seen: list[tuple[Request, Responder]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, request: Request, responder: Responder) -> None:
        self.seen.append((request, responder))
        self.arrived.set()

    async def request(self, number: int = 1) -> tuple[Request, Responder]:
        """The ``number``-th request, once it is there."""
        async with asyncio.timeout(5):
            while len(self.seen) < number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.seen[number - 1]


class Peer:
    """One connection as raw bytes; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readexactly(count)

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer that has a ``content-length``."""
        head = await self.head()
        lines = head.split(b"\r\n")
        lengths = [line for line in lines if line.startswith(b"content-length: ")]
        count = int(lengths[0].split()[1]) if lengths else 0
        return int(lines[0].split()[1]), await self.exactly(count)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(5):
            return await self.reader.read()

    async def exchange(self, data: bytes) -> bytes:
        """Send, and read until the server closes."""
        await self.send(data)
        return await self.rest()

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Listener:
    """A running server and the peers made for it."""

    server: HttpServer
    peers: list[Peer] = field(default_factory=list)

    async def peer(self) -> Peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        return peer


@asynccontextmanager
async def listening(handler: Handler, bounds: HttpBounds = BOUNDS) -> AsyncIterator[Listener]:
    listener = Listener(await serve_tcp(handler, "127.0.0.1", 0, bounds))
    try:
        yield listener
    finally:
        for peer in listener.peers:
            await peer.close()
        await listener.server.close(0.5)
        assert len(listener.server.connections) == 0


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
