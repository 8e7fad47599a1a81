"""Batches on their way to a subscriber that behaves in any way."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lambdash.emulator.delivery import Subscriber
from lambdash.errors import PlatformError
from lambdash.runtime_api.subscriptions import Api, Buffering, Destination, Subscription
from lambdash.runtime_api.telemetry_buffer import Dropped
from tests.emulator.extension import listening

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def connect(port: int, protocol: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(protocol, "127.0.0.1", port)
    return transport


@asynccontextmanager
async def delivering(
    port: int, path: str | None = "/", dropped: list[Dropped] | None = None, **buffering: Any
) -> AsyncIterator[Subscriber]:
    subscription = Subscription(
        "watcher",
        Api.TELEMETRY,
        "2022-07-01",
        ("function",),
        Destination(port, path),
        Buffering(**{"timeout_ms": 25, **buffering}),
    )
    told = [] if dropped is None else dropped
    subscriber = Subscriber(subscription, told.append)
    running = asyncio.create_task(subscriber.run(connect))
    try:
        yield subscriber
    finally:
        subscriber.close()
        await asyncio.wait_for(running, 10)


def record(number: int) -> bytes:
    return json.dumps({"type": "function", "record": number}).encode()


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_records_come_in_batches_over_one_connection() -> None:
    async with listening() as listener, delivering(listener.port) as subscriber:
        for number in range(3):
            subscriber.add(record(number))
        await listener.until("function", 3)
        subscriber.add(record(3))
        records = await listener.until("function", 4)
        assert [each["record"] for each in records] == [0, 1, 2, 3]
        assert listener.posts == 2


async def test_a_flush_waits_for_no_batch() -> None:
    async with listening() as listener, delivering(listener.port, timeout_ms=30_000) as subscriber:
        subscriber.add(record(0))
        subscriber.flush()
        await listener.until("function")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    ],
    ids=["cut", "nonsense", "error", "endless"],
)
async def test_a_batch_that_is_not_taken_comes_again(answer: bytes) -> None:
    taken = asyncio.Event()
    bodies: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        bodies.append(await reader.readexactly(length))
        if len(bodies) == 1:
            writer.write(answer)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            taken.set()
        writer.close()

    async with serving(serve) as port, delivering(port) as subscriber:
        subscriber.add(record(0))
        await asyncio.wait_for(taken.wait(), 10)
        assert bodies == [b"[" + record(0) + b"]"] * 2


async def test_lines_over_tcp() -> None:
    async with listening(tcp=True) as listener, delivering(listener.port, None) as subscriber:
        subscriber.add(record(0))
        subscriber.add(record(1))
        records = await listener.until("function", 2)
        assert [each["record"] for each in records] == [0, 1]


async def test_what_was_dropped_is_told_once_there_is_room() -> None:
    dropped: list[Dropped] = []
    async with listening() as listener:
        async with delivering(listener.port, dropped=dropped, max_items=2) as subscriber:
            for number in range(10):
                subscriber.add(record(number))
            await listener.until("function", 4)
        assert [each.records for each in dropped] == [6]


async def test_it_ends_while_it_waits_for_a_sandbox_that_refuses() -> None:
    refused = asyncio.Event()

    async def refusing(port: int, protocol: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
        refused.set()
        raise PlatformError("sandbox-refused", "nobody listens")

    subscription = Subscription("e", Api.LOGS, "2020-08-15", ("function",), Destination(1))
    subscriber = Subscriber(subscription, lambda dropped: None)
    running = asyncio.create_task(subscriber.run(refusing))
    subscriber.add(record(0))
    subscriber.flush()
    await asyncio.wait_for(refused.wait(), 10)
    subscriber.close()
    await asyncio.wait_for(running, 10)


async def test_nothing_is_sent_and_nothing_is_late_while_the_sandbox_stands_still() -> None:
    asked = asyncio.Event()
    answer = asyncio.Event()
    bodies: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            bodies.append(await reader.readexactly(length))
            asked.set()
            await answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with serving(serve) as port, delivering(port) as subscriber:
        subscriber.add(record(0))
        await asyncio.wait_for(asked.wait(), 10)
        subscriber.hold()
        assert subscriber._patience is not None
        assert subscriber._patience.when() is None
        subscriber.add(record(1))
        asked.clear()
        answer.set()
        subscriber.flush()
        for _ in range(50):
            await asyncio.sleep(0)
        assert bodies == [b"[" + record(0) + b"]"]
        subscriber.release()
        await asyncio.wait_for(asked.wait(), 10)
        assert bodies[1] == b"[" + record(1) + b"]"
