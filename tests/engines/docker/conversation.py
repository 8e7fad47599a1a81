"""An observer that plays the daemon's side of the Runtime API, enough to see a runtime live."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdash.engines.protocol import SandboxExit


class _Connection(asyncio.Protocol):
    def __init__(self, observer: "Witness") -> None:
        self._observer = observer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._observer.request(data, self._transport)


@dataclass(eq=False)
class Witness:
    """Keeps what one sandbox told. ``requests`` holds each chunk a runtime sent."""

    marks: dict[str, float] = field(default_factory=dict)
    exits: list[SandboxExit] = field(default_factory=list)
    written: bytearray = field(default_factory=bytearray)
    requests: list[bytes] = field(default_factory=list)
    waiting: list[asyncio.Transport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    def runtime_connection(self) -> asyncio.Protocol:
        return _Connection(self)

    def request(self, data: bytes, transport: asyncio.Transport) -> None:
        self.marks.setdefault("first_next", time.monotonic())
        self.requests.append(data)
        self.waiting.append(transport)
        self._changed.set()

    def output(self, stream: str, data: bytes) -> None:
        self.written += data
        self._changed.set()

    def mark(self, name: str, at: float) -> None:
        self.marks[name] = at

    def exited(self, exit: SandboxExit) -> None:
        self.exits.append(exit)
        self._changed.set()

    def answer(self, body: bytes) -> None:
        """Answer the oldest request that waits, and close."""
        transport = self.waiting.pop(0)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        transport.write(head + body)
        transport.close()

    async def until(self, wanted: Callable[[], object]) -> None:
        """Wait until ``wanted()`` is true, looking at every piece of news."""
        async with asyncio.timeout(20):
            while not wanted():
                self._changed.clear()
                await self._changed.wait()

    async def said(self, text: str) -> None:
        """Wait until the runtime has written ``text``."""
        await self.until(lambda: text.encode() in self.written)

    async def ended(self) -> SandboxExit:
        """Wait for the one exit."""
        await self.until(lambda: self.exits)
        assert len(self.exits) == 1
        return self.exits[0]

    async def polled(self, times: int = 1) -> None:
        await self.until(lambda: len(self.requests) >= times)
