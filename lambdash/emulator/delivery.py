"""Hands batches of telemetry to a subscriber inside its sandbox, over HTTP or TCP."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias, cast

import httptools

from lambdash import limits
from lambdash.errors import LambdashError
from lambdash.runtime_api.subscriptions import Destination, Subscription
from lambdash.runtime_api.telemetry_buffer import Dropped, TelemetryBuffer
from lambdash.runtime_api.telemetry_records import batch_body

# a connection to a port inside the sandbox; raises ``LambdashError``
Connect: TypeAlias = Callable[[int, Callable[[], asyncio.Protocol]], Awaitable[asyncio.Transport]]
_HOST = "sandbox.localdomain"
_NOT_TAKEN_FROM = 400


class Subscriber:
    """One subscription's records on their way; ``dropped`` is told what had to be left out."""

    def __init__(self, subscription: Subscription, dropped: Callable[[Dropped], None]) -> None:
        self.subscription = subscription
        self._dropped = dropped
        self._buffer = TelemetryBuffer(subscription.buffering)
        self._news = asyncio.Event()
        self._closed = False
        # while its sandbox stands still, nothing is sent and no answer is late
        self._held = False
        self._patience: asyncio.Timeout | None = None
        self._peer: _Peer | None = None

    def add(self, record: bytes) -> None:
        """Keep a record until its batch goes out."""
        self._buffer.add(record, time.monotonic())
        self._news.set()

    def hold(self) -> None:
        """The sandbox stands still: it takes nothing until ``release``."""
        self._held = True
        if self._patience is not None:
            self._patience.reschedule(None)

    def release(self) -> None:
        """The sandbox goes on."""
        if self._held:
            self._held = False
            self._news.set()
            if self._patience is not None:
                now = asyncio.get_running_loop().time()
                self._patience.reschedule(now + limits.TELEMETRY_ANSWER_MAX_S)

    def flush(self) -> None:
        """Send what there is without waiting for more."""
        self._buffer.flush()
        self._news.set()

    def close(self) -> None:
        """The sandbox has ended: what was not taken is lost with it."""
        self._closed = True
        self.release()
        self._news.set()

    async def run(self, connect: Connect) -> None:
        """Deliver until closed. A batch that was not taken is tried again, later each time."""
        try:
            while not self._closed:
                due = None if self._held else self._buffer.due
                if due is None or due > time.monotonic():
                    await self._wait(due)
                else:
                    await self._send_batch(connect)
        finally:
            self._cut()

    async def _wait(self, until: float | None) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            # the loop's clock is the monotonic one
            async with asyncio.timeout_at(until):
                await self._news.wait()

    async def _send_batch(self, connect: Connect) -> None:
        destination = self.subscription.destination
        body = batch_body(destination, self._buffer.take())
        try:
            async with asyncio.timeout(limits.TELEMETRY_ANSWER_MAX_S) as self._patience:
                is_taken = await self._deliver(connect, destination, body)
        except (LambdashError, OSError, TimeoutError):
            is_taken = False
        finally:
            self._patience = None
        if not is_taken:
            self._cut()
            self._buffer.refused(time.monotonic())
            return
        dropped = self._buffer.taken()
        if dropped is not None:
            self._dropped(dropped)

    async def _deliver(self, connect: Connect, destination: Destination, body: bytes) -> bool:
        peer = self._peer
        if peer is None or not peer.is_open:
            peer = self._peer = _Peer()
            made = peer
            await connect(destination.port, lambda: made)
        if destination.path is None:
            return await peer.write(body)
        head = (
            f"{destination.method} {destination.path} HTTP/1.1\r\n"
            f"Host: {_HOST}:{destination.port}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await peer.exchange(head.encode() + body) < _NOT_TAKEN_FROM

    def _cut(self) -> None:
        if self._peer is not None:
            self._peer.abort()
            self._peer = None


class _Peer(asyncio.Protocol):
    """One connection: a request at a time, of whose answer only the status matters."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._answered: asyncio.Future[int] | None = None
        self._received = 0
        self._keep_alive = True
        self._parser = httptools.HttpResponseParser(self)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and self._keep_alive

    async def exchange(self, request: bytes) -> int:
        """The status that answers a request; ``OSError`` when none comes."""
        self._answered = asyncio.get_running_loop().create_future()
        self._received = 0
        self._send(request)
        return await self._answered

    async def write(self, data: bytes) -> bool:
        """Whether the peer took it, or enough of it."""
        self._send(data)
        await self._writable.wait()
        return self.is_open

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > limits.HTTP_HEAD_MAX_BYTES:
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._keep_alive = self._parser.should_keep_alive()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._parser.get_status_code())

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionResetError("the subscriber closed"))

    def _send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the subscriber closed")
        self._transport.write(data)
