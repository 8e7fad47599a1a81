"""Responses in pieces, over the engine in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from lambdash import limits
from lambdash.emulator.streaming import Flow, ResponseHead
from lambdash.model import Crashed, FunctionFailed, Succeeded, TimedOut
from lambdash.testing import Handler, Streamed
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]


class Taker:
    """A sink that keeps what it gets, and tells when something came."""

    def __init__(self) -> None:
        self.content_type: str | None = None
        self.flow: Flow | None = None
        self.received = bytearray()
        self._news = asyncio.Event()

    def begin(self, head: ResponseHead, flow: Flow) -> None:
        self.content_type = head.content_type
        self.flow = flow
        self._news.set()

    def data(self, chunk: bytes) -> None:
        self.received += chunk
        self._news.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not done():
                self._news.clear()
                await self._news.wait()


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def answering(*parts: bytes, **more: Any) -> Callable[[], Handler]:
    async def handler(event: Any) -> Any:
        return Streamed(pieces(*parts), "text/event-stream", **more)

    return lambda: handler


async def test_pieces_reach_the_sink_and_the_outcome_ends_them(make_rig: MakeRig) -> None:
    rig = await make_rig(answering(b"one ", b"two"))
    await rig.deploy()
    taker = Taker()
    result = await rig.invoke(sink=taker)
    assert result.outcome == Succeeded(b"")
    assert (taker.content_type, bytes(taker.received)) == ("text/event-stream", b"one two")
    again = await rig.invoke(sink=Taker())
    assert (again.outcome, again.start) == (Succeeded(b""), "warm")


async def test_the_first_piece_comes_before_the_last_is_made(make_rig: MakeRig) -> None:
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b" last"

    async def handler(event: Any) -> Any:
        return Streamed(slowly())

    rig = await make_rig(lambda: handler)
    await rig.deploy()
    taker = Taker()
    done = rig.begin(sink=taker)
    await taker.until(lambda: taker.received == b"first")
    assert not done.done()
    go_on.set()
    assert (await asyncio.wait_for(done, 10)).outcome == Succeeded(b"")
    assert taker.received == b"first last"


async def test_a_caller_without_a_sink_gets_it_whole(make_rig: MakeRig) -> None:
    rig = await make_rig(answering(b"one ", b"two"))
    await rig.deploy()
    assert (await rig.invoke()).outcome == Succeeded(b"one two")


async def test_a_caller_without_a_sink_takes_six_megabytes(make_rig: MakeRig) -> None:
    mebibyte = bytes(limits.MIB)
    rig = await make_rig(answering(*[mebibyte] * 7))
    await rig.deploy()
    outcome = (await rig.invoke()).outcome
    assert isinstance(outcome, FunctionFailed)
    assert json.loads(outcome.payload)["errorType"] == "Function.ResponseSizeTooLarge"


async def test_an_error_amid_the_pieces(make_rig: MakeRig) -> None:
    document = b'{"errorType":"Boom","errorMessage":"x"}'
    rig = await make_rig(answering(b"half", error_type="Function.Boom", error_body=document))
    await rig.deploy()
    taker = Taker()
    assert (await rig.invoke(sink=taker)).outcome == FunctionFailed(document)
    assert taker.received == b"half"


async def test_a_response_that_is_not_streamed_comes_with_the_outcome(rig: Rig) -> None:
    taker = Taker()
    result = await rig.invoke(payload=b'{"a":1}', sink=taker)
    assert result.outcome == Succeeded(b'{"a": 1}')
    assert taker.content_type is None


async def test_a_timeout_amid_the_pieces_ends_them(make_rig: MakeRig) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.get_running_loop().create_future()

    async def handler(event: Any) -> Any:
        return Streamed(endless()) if event.get("endless") else event

    rig = await make_rig(lambda: handler)
    await rig.deploy(timeout_s=1)
    taker = Taker()
    result = await rig.invoke(payload=b'{"endless":true}', sink=taker)
    assert isinstance(result.outcome, TimedOut)
    assert taker.received == b"first"
    assert (await rig.invoke(payload=b"{}")).outcome == Succeeded(b"{}")


async def test_a_runtime_that_goes_amid_the_pieces(make_rig: MakeRig) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"first"
        raise ConnectionResetError

    async def handler(event: Any) -> Any:
        return Streamed(breaking())

    rig = await make_rig(lambda: handler)
    await rig.deploy()
    outcome = (await rig.invoke(sink=Taker())).outcome
    # whichever is noticed first, the end of the process or that of its connection
    assert isinstance(outcome, Crashed | FunctionFailed)
    known = {"Runtime.ExitError", "Runtime.TruncatedResponse"}
    assert json.loads(outcome.payload)["errorType"] in known


async def test_a_sink_makes_the_runtime_wait(make_rig: MakeRig) -> None:
    made = 0

    async def many() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(400):
            made += 1
            yield bytes(64 * 1024)

    async def handler(event: Any) -> Any:
        return Streamed(many())

    class Stopping(Taker):
        def begin(self, head: ResponseHead, flow: Flow) -> None:
            super().begin(head, flow)
            flow.pause_body()

    rig = await make_rig(lambda: handler)
    await rig.deploy(timeout_s=30)
    taker = Stopping()
    done = rig.begin(sink=taker)
    await taker.until(lambda: taker.flow is not None)
    before = -1
    while before != made:
        before = made
        await asyncio.to_thread(lambda: None)
    assert made < 200
    assert taker.flow is not None
    taker.flow.resume_body()
    assert (await asyncio.wait_for(done, 20)).outcome == Succeeded(b"")
    assert len(taker.received) == 400 * 64 * 1024
