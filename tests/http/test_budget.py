"""All request bodies together are bounded, from their first byte to their answer."""

import dataclasses
import sys
from functools import partial

import pytest

from lambdash import limits
from lambdash.http.budget import ByteBudget
from lambdash.http.server import HttpBounds, Request, Responder
from tests.http.wire import Parked, echo, listening, until

LARGE = limits.HTTP_COUNTED_BODY_MIN_BYTES
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"


def by_length(size: int) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size


def chunked(size: int) -> bytes:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    return POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (size // 0x4000) + b"0\r\n\r\n"


def bounds(budget: ByteBudget) -> HttpBounds:
    return HttpBounds(body_bytes=4 * LARGE, budget=budget)


@pytest.mark.parametrize("framed", [by_length, chunked])
async def test_a_body_counts_until_its_answer(framed: type[bytes]) -> None:
    budget, parked = ByteBudget(2 * LARGE), Parked()
    async with listening(parked, bounds(budget)) as listener:
        first, second = await listener.peer(), await listener.peer()
        await first.send(framed(2 * LARGE))
        _, responder = await parked.request()
        assert budget.held == 2 * LARGE
        await second.send(framed(LARGE))
        assert (await second.rest()).startswith(b"HTTP/1.1 503 ")
        assert budget.held == 2 * LARGE
        responder.send(200, (), b"done")
        assert await first.answer() == (200, b"done")
        assert budget.held == 0
        await first.send(framed(LARGE))
        await parked.request(2)


async def test_small_bodies_do_not_count() -> None:
    budget = ByteBudget(0)
    async with listening(echo, bounds(budget)) as listener:
        peer = await listener.peer()
        await peer.send(by_length(LARGE - 1))
        assert (await peer.answer())[0] == 200


async def test_what_is_lost_is_given_back() -> None:
    budget, parked = ByteBudget(8 * LARGE), Parked()
    async with listening(parked, bounds(budget)) as listener:
        reading, answering = await listener.peer(), await listener.peer()
        await reading.send(by_length(LARGE)[:-10])
        await answering.send(by_length(LARGE))
        await parked.request()
        await until(lambda: budget.held == 2 * LARGE)
        await reading.close()
        await until(lambda: budget.held == LARGE)
        await answering.close()
        await until(lambda: budget.held == 0)


async def test_what_is_refused_in_mid_body_is_given_back() -> None:
    budget = ByteBudget(8 * LARGE)
    async with listening(echo, bounds(budget)) as listener:
        peer = await listener.peer()
        await peer.send(chunked(LARGE)[:-5])
        await until(lambda: budget.held == LARGE)
        assert (await peer.exchange(b"nonsense\r\n")).startswith(b"HTTP/1.1 400 ")
        assert budget.held == 0


async def test_the_listener_may_refuse_in_its_own_shape() -> None:
    def sorry(request: Request, responder: Responder) -> None:
        responder.send(429, (), request.target)

    tight = dataclasses.replace(bounds(ByteBudget(1)), on_overload=sorry)
    async with listening(echo, tight) as listener:
        peer = await listener.peer()
        await peer.send(by_length(LARGE))
        assert await peer.answer() == (429, b"/")
        assert await peer.rest() == b""


@pytest.mark.parametrize("framed", [by_length, chunked])
async def test_a_connection_at_rest_holds_no_body(framed: type[bytes]) -> None:
    bodies: list[bytes] = []

    def take(request: Request, responder: Responder) -> None:
        bodies.append(request.body)
        responder.on_disconnect = partial(bodies.append, request.body)
        responder.send(200, (), b"done")

    async with listening(take, bounds(ByteBudget(8 * LARGE))) as listener:
        peer = await listener.peer()
        await peer.send(framed(LARGE))
        assert await peer.answer() == (200, b"done")
        body = bodies.pop()
        assert len(body) == LARGE
        assert sys.getrefcount(body) <= 2  # ours, and the call's own
