"""h11 as the oracle, and the same outcome however the bytes arrive."""

import asyncio
import tracemalloc
from dataclasses import dataclass, field
from itertools import pairwise

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdash.http.bounds import HttpBounds
from lambdash.http.parser import Refused, RequestParser
from lambdash.http.request import Headers, Request
from lambdash.http.server import Responder, StreamHandler
from tests.http.wire import echo, listening

BOUNDS = HttpBounds(body_bytes=10_000, head_bytes=4_000)
FAST = settings(max_examples=120, deadline=None)


@dataclass
class Collected:
    """A sink that remembers."""

    requests: list[Request] = field(default_factory=list)

    def continue_wanted(self) -> None:
        """Nothing to do."""

    def request_complete(self, request: Request, _mode: int) -> None:
        self.requests.append(request)

    def upload_begun(self, request: Request, _handler: StreamHandler, _mode: int) -> None:
        raise AssertionError(request)

    def upload_piece(self, piece: bytes) -> None:
        raise AssertionError(piece)

    def upload_complete(self, trailers: Headers) -> None:
        raise AssertionError(trailers)


Parsed = tuple[list[tuple[str, bytes, list[tuple[bytes, bytes]], bytes]], int | None]


def parse(pieces: list[bytes]) -> Parsed:
    """The requests in ``pieces`` and the status that they were refused with, if they were."""
    sink = Collected()
    parser = RequestParser(BOUNDS, sink)
    refused = None
    try:
        for piece in pieces:
            parser.feed(piece)
    except Refused as refusal:
        refused = refusal.status
    found = [(each.method, each.target, each.headers, each.body) for each in sink.requests]
    return found, refused


def parse_with_h11(data: bytes) -> Parsed:
    """The same by h11: 400 for whatever it refuses."""
    connection = h11.Connection(h11.SERVER)
    found = []
    connection.receive_data(data)
    try:
        while True:
            request = connection.next_event()
            if not isinstance(request, h11.Request):
                return found, None
            body = b""
            while isinstance(event := connection.next_event(), h11.Data):
                body += event.data
            if not isinstance(event, h11.EndOfMessage):
                return found, None
            headers = [(bytes(name), bytes(value)) for name, value in request.headers]
            found.append((request.method.decode(), bytes(request.target), headers, body))
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE:
                return found, None
            connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return found, 400


TOKEN = st.text("abcXYZ019-_.!", min_size=1, max_size=8).map(str.encode)
VALUE = st.binary(max_size=12).map(
    lambda raw: bytes(code for code in raw if 32 <= code != 127 or code == 9).strip(b" \t")
)
OURS = {b"host", b"content-length", b"transfer-encoding", b"expect", b"connection", b"upgrade"}


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One valid request."""
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS"]))
    target = b"/" + draw(st.text("abc/%20?=&.~", max_size=12)).encode()
    headers = [(b"Host", b"h")]
    pairs = st.tuples(TOKEN, VALUE).filter(lambda pair: pair[0].lower() not in OURS)
    headers += draw(st.lists(pairs, max_size=4))
    body = draw(st.binary(max_size=50))
    how = draw(st.sampled_from(["none", "length", "chunked"]))
    if how == "length":
        headers.append((b"Content-Length", b"%d" % len(body)))
    elif how == "chunked":
        headers.append((b"Transfer-Encoding", b"chunked"))
        size = draw(st.integers(1, 20))
        parts = [body[i : i + size] for i in range(0, len(body), size)]
        body = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts)
        body += b"0\r\n" + draw(st.sampled_from([b"", b"X-Trailer: t\r\n"])) + b"\r\n"
    else:
        body = b""
    head = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, target, head, body)


@FAST
@given(st.lists(requests(), min_size=1, max_size=3))
def test_valid_requests_mean_the_same_to_h11(sent: list[bytes]) -> None:
    data = b"".join(sent)
    found, refused = parse([data])
    assert refused is None
    assert len(found) == len(sent)
    assert found == parse_with_h11(data)[0]


PIECES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /x HTTP/1.1\r\n",
        b"GET / HTTP/1.0\r\n",
        b"Host: h\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0x3\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding:\tchunked \r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Connection: close\r\n",
        b"X: a\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"3;q\r\nabc\r\n",
        b"-3\r\n",
        b" 3\r\n",
    ]
)


@FAST
@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n")
@example(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
def test_what_h11_refuses_to_frame_is_refused(data: bytes) -> None:
    """Every request that we find, h11 finds as well, with the same head and body."""
    found, _ = parse([data])
    theirs, _ = parse_with_h11(data)
    assert found == theirs[: len(found)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


@FAST
@given(
    st.one_of(
        st.lists(requests(), max_size=3).map(b"".join),
        st.lists(PIECES, max_size=12).map(b"".join),
        st.binary(max_size=200),
    ),
    st.lists(st.integers(0, 1_000), max_size=8),
)
def test_every_split_parses_the_same(data: bytes, places: list[int]) -> None:
    whole = parse([data])
    assert parse(cut(data, places)) == whole
    assert parse([data[i : i + 1] for i in range(len(data))]) == whole


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=300), requests(), PIECES), max_size=10))
def test_garbage_never_harms_the_listener(pieces: list[bytes]) -> None:
    async def torment() -> None:
        async with listening(echo, BOUNDS) as listener:
            peer = await listener.peer()
            for piece in pieces:
                peer.writer.write(piece)
            await asyncio.sleep(0)
            peer.writer.transport.abort()
            other = await listener.peer()
            await other.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert await other.answer() == (200, b"GET / ")

    asyncio.run(torment())


@pytest.mark.parametrize(
    "flood",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 40_000,
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n" + b"x" * 1_000_000,
        b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200_000,
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\nx\r\n" * 200_000,
    ],
    ids=["requests", "body", "header", "headers", "chunks"],
)
async def test_what_one_peer_makes_us_hold_is_bounded(flood: bytes) -> None:
    held: list[Responder] = []

    def hold(_request: Request, responder: Responder) -> None:
        held.append(responder)

    async with listening(hold, BOUNDS) as listener:
        peer = await listener.peer()
        memory = []
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for start in range(0, len(flood), 32 * 1024):
            if peer.writer.transport.get_write_buffer_size() < 64 * 1024:
                peer.writer.write(flood[start : start + 32 * 1024])
            await asyncio.sleep(0)
            memory.append(tracemalloc.get_traced_memory()[0] - before)
        tracemalloc.stop()
        peer.writer.transport.abort()
        assert max(memory) < 4 * 1024 * 1024
        assert len(held) <= 1
