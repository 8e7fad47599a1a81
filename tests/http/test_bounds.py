"""What a peer may not do, and what it costs us when it does."""

import asyncio
import dataclasses

import pytest

from lambdash.http.server import HttpBounds, Request, Responder
from tests.http.wire import BOUNDS, Parked, echo, listening, until

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
TIGHT = HttpBounds(body_bytes=10, head_bytes=200, headers=5, target_bytes=50)

REFUSED = {
    "bare LF": (b"GET / HTTP/1.1\nHost: h\n\n", 400),
    "bare LF in a header": (b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400),
    "bare CR": (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
    "folded line": (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400),
    "space before the first header": (b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
    "nameless header": (b"GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400),
    "NUL": (b"GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n", 400),
    "control character": (b"GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
    "lower-case method": (b"get / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "unknown method": (b"FROB / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "upgrade": (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 501),
    "tunnel": (b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    "length and chunks": (
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks and length": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    "list of lengths": (POST + b"Content-Length: 1, 1\r\n\r\na", 400),
    "signed length": (POST + b"Content-Length: +1\r\n\r\na", 400),
    "empty length": (POST + b"Content-Length:\r\n\r\n", 400),
    "length overflow": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "other coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunk size overflow": (CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n", 400),
    "chunk size not hexadecimal": (CHUNKED + b"xyz\r\n", 400),
    "chunk without its end": (CHUNKED + b"1\r\nabc", 400),
    "bare LF after a chunk size": (CHUNKED + b"1\na\r\n0\r\n\r\n", 400),
    "expectation": (POST + b"Content-Length: 1\r\nExpect: magic\r\n\r\n", 417),
    "long target": (b"GET /" + b"a" * 50 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    "large head": (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 200 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 5 + b"\r\n", 431),
    "large body": (POST + b"Content-Length: 11\r\n\r\n", 413),
    "large chunk": (CHUNKED + b"b\r\n" + b"a" * 11, 413),
    "many chunks": (CHUNKED + b"1\r\na\r\n" * 11, 413),
    "large trailers": (CHUNKED + b"0\r\nX: " + b"a" * 300 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize("split", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("name", REFUSED)
async def test_refused_and_closed(name: str, split: bool) -> None:
    data, status = REFUSED[name]
    async with listening(echo, TIGHT) as listener:
        peer = await listener.peer()
        for piece in [data[i : i + 1] for i in range(len(data))] if split else [data]:
            await peer.send(piece)
        answer = await peer.rest()
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.count(b"\r\ncontent-length: ") == 1
        other = await listener.peer()
        await other.send(GET)
        assert await other.answer() == (200, b"GET / ")


@pytest.mark.parametrize(
    "endless",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100_000,
        b"GET / HTTP/1.1\r\nHost: h\r\nX" + b"x" * 100_000,
        CHUNKED + b"0\r\nX: " + b"a" * 100_000,
        CHUNKED + b"1;" + b"a" * 100_000,
        b"\r\n" * 50_000,
    ],
    ids=["header value", "header name", "trailer", "chunk extension", "blank lines"],
)
async def test_what_never_ends_is_cut(endless: bytes) -> None:
    async with listening(echo, TIGHT) as listener:
        peer = await listener.peer()
        assert (await peer.exchange(endless)).startswith(b"HTTP/1.1 431 ")


async def test_just_within_the_bounds() -> None:
    async with listening(echo, TIGHT) as listener:
        peer = await listener.peer()
        await peer.send(
            b"GET /" + b"a" * 49 + b" HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 4 + b"\r\n"
        )
        assert (await peer.answer())[0] == 200
        await peer.send(POST + b"Content-Length: 00000000000000000000000010\r\n\r\n0123456789")
        assert await peer.answer() == (200, b"POST / 0123456789")
        await peer.send(CHUNKED + b"1\r\na\r\n" * 10 + b"0\r\n\r\n")
        assert await peer.answer() == (200, b"POST / aaaaaaaaaa")


async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET + b"garbage\r\n\r\n")
        _, responder = await parked.request()
        await peer.send(b"more garbage")
        responder.send(200, (), b"first")
        assert await peer.answer() == (200, b"first")
        assert (await peer.answer())[0] == 400
        assert await peer.rest() == b""


async def test_a_refused_upload_is_thrown_away_so_that_the_answer_arrives() -> None:
    async with listening(echo, TIGHT) as listener:
        peer = await listener.peer()
        size = 4 * 1024 * 1024
        await peer.send(POST + b"Content-Length: %d\r\n\r\n" % size)
        await peer.send(b"x" * size)
        assert (await peer.rest()).startswith(b"HTTP/1.1 413 ")


async def test_a_refused_upload_is_not_thrown_away_for_ever() -> None:
    bounds = dataclasses.replace(TIGHT, linger_bytes=1_000_000)
    async with listening(echo, bounds) as listener:
        peer = await listener.peer()
        with pytest.raises(ConnectionError):
            await peer.send(POST + b"Content-Length: 100000000\r\n\r\n" + b"x" * 50_000_000)


@pytest.mark.parametrize("framing", [b"Content-Length: 11\r\n\r\n", b""])
async def test_the_listener_may_answer_too_large_in_its_own_shape(framing: bytes) -> None:
    seen: list[Request] = []

    def sorry(request: Request, responder: Responder) -> None:
        seen.append(request)
        responder.send(413, ((b"content-type", b"application/json"),), b"{}")

    bounds = dataclasses.replace(TIGHT, on_too_large=sorry)
    async with listening(echo, bounds) as listener:
        peer = await listener.peer()
        sent = POST + framing if framing else CHUNKED + b"b\r\n12345678901\r\n"
        await peer.send(sent)
        assert await peer.answer() == (413, b"{}")
        assert await peer.rest() == b""
        (request,) = seen
        assert (request.method, request.path, request.body) == ("POST", "/", b"")
        assert request.header(b"host") == b"h"


async def test_too_large_is_said_before_the_body_is_asked_for() -> None:
    async with listening(echo, TIGHT) as listener:
        peer = await listener.peer()
        sent = POST + b"Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"
        assert (await peer.exchange(sent)).startswith(b"HTTP/1.1 413 ")


async def test_what_is_sent_while_an_answer_is_owed_is_bounded() -> None:
    parked = Parked()
    bounds = dataclasses.replace(BOUNDS, backlog_bytes=10_000)
    async with listening(parked, bounds) as listener:
        peer = await listener.peer()
        count = 60_000
        peer.writer.write(GET * count)
        _, first = await parked.request()
        protocol = first._connection
        await until(lambda: not protocol._transport.is_reading())
        # one read at most over the bound
        assert len(protocol._backlog) <= 10_000 + 256 * 1024
        assert len(protocol._waiting) <= 16 * 1024 // len(GET) + 1
        for number in range(300):
            _, responder = await parked.request(number + 1)
            responder.send(200, (), b"%d" % number)
            assert await peer.answer() == (200, b"%d" % number)
        peer.writer.transport.abort()


async def test_a_peer_that_does_not_read_is_not_served_on() -> None:
    answered = 0

    def large(_request: Request, responder: Responder) -> None:
        nonlocal answered
        answered += 1
        responder.send(200, (), b"x" * 1_000_000)

    async with listening(large) as listener:
        peer = await listener.peer()
        await peer.send(GET * 100)
        await until(lambda: answered > 0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert answered < 50
        for _ in range(100):
            status, body = await peer.answer()
            assert (status, len(body)) == (200, 1_000_000)
        assert answered == 100


async def test_connections_are_bounded() -> None:
    bounds = dataclasses.replace(BOUNDS, connections=2)
    async with listening(echo, bounds) as listener:
        first, second = await listener.peer(), await listener.peer()
        await until(lambda: len(listener.server.connections) == 2)
        third = await listener.peer()
        assert (await third.rest()).startswith(b"HTTP/1.1 503 ")
        await first.close()
        await until(lambda: len(listener.server.connections) == 1)
        fourth = await listener.peer()
        for peer in (second, fourth):
            await peer.send(GET)
            assert (await peer.answer())[0] == 200


SOON_S = 0.04


@pytest.mark.parametrize(
    ("bound", "sent", "status"),
    [
        ("head_timeout_s", b"GET / HTTP/1.1\r\nHos", 408),
        ("body_timeout_s", POST + b"Content-Length: 5\r\n\r\nab", 408),
        ("idle_timeout_s", b"", None),
        ("idle_timeout_s", GET, 200),
        ("linger_s", b"garbage\r\n\r\n", 400),
    ],
)
async def test_the_slow_are_cut(bound: str, sent: bytes, status: int | None) -> None:
    async with listening(echo, dataclasses.replace(BOUNDS, **{bound: SOON_S})) as listener:
        peer = await listener.peer()
        await peer.send(sent)
        if status is not None:
            assert (await peer.answer())[0] == status
        assert await peer.rest() == b""
        await until(lambda: len(listener.server.connections) == 0 or bound != "linger_s")


async def test_a_peer_that_never_reads_is_cut() -> None:
    parked = Parked()
    bounds = dataclasses.replace(BOUNDS, write_timeout_s=SOON_S)
    async with listening(parked, bounds) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        lost = asyncio.Event()
        responder.on_disconnect = lost.set
        responder.start(200, ())
        responder.write(b"x" * 16 * 1024 * 1024)
        async with asyncio.timeout(5):
            await lost.wait()


async def test_a_parked_poll_is_not_slow() -> None:
    parked = Parked()
    bounds = dataclasses.replace(
        BOUNDS, head_timeout_s=SOON_S, body_timeout_s=SOON_S, idle_timeout_s=SOON_S
    )
    async with listening(parked, bounds) as listener:
        waiting, idle = await listener.peer(), await listener.peer()
        await waiting.send(GET)
        _, responder = await parked.request()
        assert await idle.rest() == b""
        responder.send(200, (), b"event")
        assert await waiting.answer() == (200, b"event")
