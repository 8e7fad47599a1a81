"""Request bodies that are taken in pieces as they arrive."""

import asyncio
import dataclasses
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash.http.parser import RequestParser
from lambdash.http.request import Headers
from lambdash.http.responder import PLAIN
from lambdash.http.server import BodySink, HttpBounds, Request, Responder, StreamHandler
from tests.http.wire import BOUNDS, Listener, Parked, Peer, echo, listening, until

HEAD = b"POST /up HTTP/1.1\r\nHost: h\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
SOON_S = 0.04
MIB = 1024 * 1024


@dataclass
class Sink:
    """Remembers what it was told, and answers at the end."""

    request: Request
    responder: Responder
    pieces: list[bytes] = field(default_factory=list)
    trailers: Headers | None = None
    is_aborted: bool = False

    def data(self, chunk: bytes) -> None:
        self.pieces.append(chunk)

    def end(self, trailers: Headers) -> None:
        self.trailers = trailers
        self.responder.send(200, (), b"took %d" % len(self.body))

    def aborted(self) -> None:
        self.is_aborted = True

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Uploads:
    """Takes every POST in pieces; what else comes is answered whole."""

    sinks: list[Sink] = field(default_factory=list)

    def on_head(self, request: Request) -> StreamHandler | None:
        assert request.body == b""
        return self.begin if request.method == "POST" else None

    def begin(self, request: Request, responder: Responder) -> BodySink:
        self.sinks.append(Sink(request, responder))
        return self.sinks[-1]

    @property
    def bounds(self) -> HttpBounds:
        return dataclasses.replace(BOUNDS, on_head=self.on_head)

    async def sink(self, number: int = 1) -> Sink:
        await until(lambda: len(self.sinks) >= number)
        return self.sinks[number - 1]


def taking(begin: StreamHandler) -> HttpBounds:
    return dataclasses.replace(BOUNDS, on_head=lambda _: begin)


async def test_pieces_are_handed_over_as_they_come() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        sink = await uploads.sink()
        await until(lambda: sink.body == b"abc")
        assert (sink.request.path, sink.request.header(b"host")) == ("/up", b"h")
        await peer.send(b"2\r\nde\r\n0\r\nX-Kind: Error\r\nX-More:  b \r\n\r\n")
        assert await peer.answer() == (200, b"took 5")
        assert sink.pieces == [b"abc", b"de"]
        assert sink.trailers == [(b"x-kind", b"Error"), (b"x-more", b"b")]
        await peer.send(HEAD + b"Content-Length: 4\r\n\r\nabcd" + GET)
        assert await peer.answer() == (200, b"took 4")
        assert await peer.answer() == (200, b"GET / ")
        assert uploads.sinks[1].trailers == []


async def test_an_empty_body_ends_at_once() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(HEAD + b"\r\n" + CHUNKED + b"0\r\n\r\n")
        assert await peer.answer() == (200, b"took 0")
        assert await peer.answer() == (200, b"took 0")


async def test_a_streamed_body_may_be_larger_than_a_whole_one() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        size = BOUNDS.body_bytes + 1
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
        assert await peer.answer() == (200, b"took %d" % size)
        await peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
        assert (await peer.answer())[0] == 413


async def test_an_upload_waits_for_the_answers_before_it() -> None:
    uploads, parked = Uploads(), Parked()
    async with listening(parked, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(GET + CHUNKED + b"3\r\nabc\r\n")
        _, responder = await parked.request()
        await peer.send(b"2\r\nde\r\n0\r\n\r\n" + CHUNKED + b"1\r\nx\r\n0\r\n\r\n")
        assert uploads.sinks == []
        responder.send(200, (), b"first")
        assert await peer.answer() == (200, b"first")
        assert await peer.answer() == (200, b"took 5")
        assert await peer.answer() == (200, b"took 1")
        assert uploads.sinks[0].pieces[0] == b"abc"


async def test_a_whole_upload_behind_an_owed_answer() -> None:
    uploads, parked = Uploads(), Parked()
    async with listening(parked, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(GET + CHUNKED + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n" + GET)
        _, responder = await parked.request()
        responder.send(200, (), b"first")
        assert await peer.answer() == (200, b"first")
        assert await peer.answer() == (200, b"took 3")
        assert uploads.sinks[0].trailers == [(b"x", b"y")]
        _, responder = await parked.request(2)
        responder.send(200, (), b"last")
        assert await peer.answer() == (200, b"last")


async def test_a_peer_that_goes_in_mid_body_is_told() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        sink = await uploads.sink()
        gone: list[str] = []
        sink.responder.on_disconnect = lambda: gone.append("gone")
        await until(lambda: sink.pieces != [])
        await peer.close()
        await until(lambda: sink.is_aborted)
        assert gone == ["gone"]
        assert sink.trailers is None
        sink.responder.send(200, (), b"to nobody")


async def test_a_body_that_breaks_the_framing_is_refused() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        sink = await uploads.sink()
        answer = await peer.exchange(b"nonsense\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"\r\nconnection: close\r\n" in answer
        assert sink.is_aborted
        assert sink.pieces == [b"abc"]


async def test_a_body_that_breaks_the_framing_before_its_turn_is_refused() -> None:
    uploads, parked = Uploads(), Parked()
    async with listening(parked, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(GET + CHUNKED + b"3\r\nabcd\r\n")
        _, responder = await parked.request()
        responder.send(200, (), b"first")
        assert await peer.answer() == (200, b"first")
        assert (await peer.rest()).startswith(b"HTTP/1.1 400 ")
        assert uploads.sinks == []


async def test_a_body_that_breaks_the_framing_cuts_an_answer_that_was_begun() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        sink = await uploads.sink()
        sink.responder.start(200, ())
        await peer.head()
        await peer.send(b"nonsense\r\n")
        with suppress(ConnectionError):
            assert await peer.rest() == b""  # and no last chunk
        assert sink.is_aborted


async def test_trailers_are_bounded() -> None:
    uploads = Uploads()
    bounds = dataclasses.replace(uploads.bounds, head_bytes=200)
    async with listening(echo, bounds) as listener:
        peer = await listener.peer()
        answer = await peer.exchange(CHUNKED + b"0\r\nX: " + b"a" * 300 + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")


async def test_an_early_answer_gives_up_the_connection() -> None:
    sinks: list[Sink] = []

    def refuse(request: Request, responder: Responder) -> BodySink:
        responder.send(413, (), b"no")
        sinks.append(Sink(request, responder))
        return sinks[-1]

    async with listening(echo, taking(refuse)) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET + b"garbage\r\n\r\n")
        answer = await peer.rest()
        assert answer == b"HTTP/1.1 413 Request Entity Too Large\r\ncontent-length: 2\r\n" + (
            b"connection: close\r\n\r\nno"
        )
        assert (sinks[0].pieces, sinks[0].trailers, sinks[0].is_aborted) == ([], None, False)


async def test_an_early_answer_while_paused_lets_the_rest_be_thrown_away() -> None:
    uploads = Uploads()
    bounds = dataclasses.replace(uploads.bounds, backlog_bytes=1_000)
    async with listening(echo, bounds) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        sink = await uploads.sink()
        sink.responder.pause_body()
        sending = asyncio.create_task(peer.send(b"100000\r\n" + b"x" * MIB * 8))
        protocol = sink.responder._connection
        await until(lambda: not protocol._transport.is_reading())
        sink.responder.send(413, (), b"no")
        assert (await peer.rest()).startswith(b"HTTP/1.1 413 ")
        await sending


@pytest.mark.parametrize("early", [False, True], ids=["taken", "refused"])
async def test_continue_is_said_once_the_sink_has_not_refused(early: bool) -> None:
    def begin(request: Request, responder: Responder) -> BodySink:
        if early:
            responder.send(417, (), b"")
        return Sink(request, responder)

    async with listening(echo, taking(begin)) as listener:
        peer = await listener.peer()
        await peer.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        if early:
            assert (await peer.rest()).startswith(b"HTTP/1.1 417 ")
        else:
            assert await peer.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await peer.send(b"ab")
            assert await peer.answer() == (200, b"took 2")


@pytest.mark.parametrize("where", ["begin", "data", "end"])
async def test_a_sink_that_fails_is_answered_for(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Sink):
        def data(self, chunk: bytes) -> None:
            if where == "data":
                raise ValueError(where)

        def end(self, trailers: Headers) -> None:
            raise ValueError(where)

    def begin(request: Request, responder: Responder) -> BodySink:
        if where == "begin":
            raise ValueError(where)
        return Failing(request, responder)

    async with listening(echo, taking(begin)) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"1\r\na\r\n0\r\n\r\n")
        assert await peer.answer() == (500, b"internal error\n")
    assert "an HTTP handler failed on <Request POST b'/up'" in caplog.text


async def test_a_sink_that_fails_to_abort_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Sink):
        def aborted(self) -> None:
            raise ValueError("aborted")

    made: list[Failing] = []

    def begin(request: Request, responder: Responder) -> BodySink:
        made.append(Failing(request, responder))
        return made[-1]

    async with listening(echo, taking(begin)) as listener:
        peer = await listener.peer()
        await peer.send(CHUNKED + b"1\r\na\r\n")
        await until(lambda: bool(made))
        await peer.close()
        await until(lambda: "an HTTP handler failed" in caplog.text)


async def test_http_1_0_may_upload_by_length() -> None:
    uploads = Uploads()
    async with listening(echo, uploads.bounds) as listener:
        peer = await listener.peer()
        answer = await peer.exchange(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        assert answer.endswith(b"connection: close\r\n\r\ntook 3")


async def test_a_silent_upload_is_cut_but_not_a_paused_one() -> None:
    uploads = Uploads()
    bounds = dataclasses.replace(uploads.bounds, idle_timeout_s=SOON_S, body_timeout_s=SOON_S)
    async with listening(echo, bounds) as listener:
        paused, silent = await listener.peer(), await listener.peer()
        await paused.send(CHUNKED + b"3\r\nabc\r\n")
        first = await uploads.sink()
        first.responder.pause_body()
        await silent.send(CHUNKED + b"3\r\nabc\r\n")
        second = await uploads.sink(2)
        await until(lambda: second.is_aborted)
        first.responder.resume_body()
        await paused.send(b"0\r\n\r\n")
        assert await paused.answer() == (200, b"took 3")
        first.responder.pause_body()
        first.responder.resume_body()


def chunks(count: int) -> Iterator[bytes]:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range(count):
        yield chunk
    yield b"0\r\n\r\n"


async def send_all(peer: Peer, count: int) -> None:
    await peer.send(CHUNKED)
    for chunk in chunks(count):
        await peer.send(chunk)


@dataclass
class Counting:
    """Counts, and pauses at every sixteenth piece until the loop has turned a few times."""

    responder: Responder
    count: int = 0
    pauses: int = 0
    most_held: int = 0

    def data(self, chunk: bytes) -> None:
        self.count += len(chunk)
        self.most_held = max(self.most_held, tracemalloc.get_traced_memory()[0])
        if self.count // MIB > self.pauses:
            self.pauses += 1
            self.responder.pause_body()
            asyncio.get_running_loop().call_later(0.0005, self.responder.resume_body)

    def end(self, trailers: Headers) -> None:
        self.responder.send(200, (), b"%d" % self.count)

    def aborted(self) -> None:
        """The test fails for want of an answer."""


async def flat(listener: Listener, work: Callable[[Peer], object], most: Callable[[], int]) -> None:
    """What the work makes us hold stays within a few reads."""
    peer = await listener.peer()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await work(peer)  # type: ignore[misc]
        assert most() - before < 6 * MIB
    finally:
        tracemalloc.stop()


async def test_an_upload_of_200_mb_takes_no_memory() -> None:
    sinks: list[Counting] = []

    def begin(_request: Request, responder: Responder) -> BodySink:
        sinks.append(Counting(responder))
        return sinks[-1]

    async def upload(peer: Peer) -> None:
        await send_all(peer, 3_200)
        async with asyncio.timeout(30):
            assert await peer.answer() == (200, b"%d" % (3_200 * 0x10000))

    async with listening(echo, taking(begin)) as listener:
        await flat(listener, upload, lambda: sinks[0].most_held)
        assert sinks[0].pauses >= 100


@dataclass
class Relay:
    """Streams the body back, at the pace of whoever reads it."""

    responder: Responder
    most_held: int = 0
    pauses: int = 0

    def __post_init__(self) -> None:
        self.responder.on_writable = self.responder.resume_body
        self.responder.start(200, ())

    def data(self, chunk: bytes) -> None:
        self.responder.write(chunk)
        self.most_held = max(self.most_held, tracemalloc.get_traced_memory()[0])
        if self.responder.is_congested:
            self.pauses += 1
            self.responder.pause_body()

    def end(self, trailers: Headers) -> None:
        self.responder.end()

    def aborted(self) -> None:
        """The test fails for want of an answer."""


async def test_a_stream_of_200_mb_to_a_slow_reader_takes_no_memory() -> None:
    relays: list[Relay] = []

    def begin(_request: Request, responder: Responder) -> BodySink:
        relays.append(Relay(responder))
        return relays[-1]

    async def pass_through(peer: Peer) -> None:
        sending = asyncio.create_task(send_all(peer, 3_200))
        await peer.head()
        count = 0
        async with asyncio.timeout(30):
            while count < 3_200 * 0x10000:
                count += len(await peer.reader.read(0x40000))
                await asyncio.sleep(0)
            await sending

    async with listening(echo, taking(begin)) as listener:
        await flat(listener, pass_through, lambda: relays[0].most_held)
        assert relays[0].pauses > 10


# The parser beside h11

Streamed = tuple[bytes, bytes, list[tuple[bytes, bytes]]]


@dataclass
class Collected:
    """A parser's sink that remembers uploads."""

    found: list[Streamed] = field(default_factory=list)
    target: bytes = b""
    body: bytes = b""

    def continue_wanted(self) -> None:
        """Nothing to do."""

    def request_complete(self, request: Request, _mode: int) -> None:
        raise AssertionError(request)

    def upload_begun(self, request: Request, _handler: StreamHandler, mode: int) -> None:
        assert mode == PLAIN
        self.target, self.body = request.target, b""

    def upload_piece(self, piece: bytes) -> None:
        assert piece
        self.body += piece

    def upload_complete(self, trailers: Headers) -> None:
        self.found.append((self.target, self.body, trailers))


def streamed(pieces: list[bytes]) -> list[Streamed]:
    collected = Collected()
    parser = RequestParser(taking(Uploads().begin), collected)
    for piece in pieces:
        parser.feed(piece)
    return collected.found


def streamed_by_h11(data: bytes) -> list[Streamed]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    found = []
    while isinstance(request := connection.next_event(), h11.Request):
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
        found.append((bytes(request.target), body, trailers))
        connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        connection.send(h11.EndOfMessage())
        connection.start_next_cycle()
    return found


NAMES = st.sampled_from([b"X-A", b"Lambda-Runtime-Function-Error-Type", b"b", b"X-A"])
VALUES = st.text("abc =/+\t", max_size=12).map(lambda text: text.strip().encode())


@st.composite
def posts(draw: st.DrawFn) -> bytes:
    """One request with a body, chunked with trailers or by length."""
    body = draw(st.binary(max_size=60))
    head = b"POST /%d HTTP/1.1\r\nHost: h\r\n" % draw(st.integers(0, 9))
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    size = draw(st.integers(1, 20))
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    trailers = draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    lines = b"".join(b"%b: %b\r\n" % trailer for trailer in trailers)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n" + lines + b"\r\n"


@settings(max_examples=150, deadline=None)
@given(st.lists(posts(), min_size=1, max_size=3), st.lists(st.integers(0, 999), max_size=6))
def test_bodies_and_trailers_mean_the_same_to_h11(sent: list[bytes], places: list[int]) -> None:
    data = b"".join(sent)
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    found = streamed([data[start:end] for start, end in pairwise(edges)])
    assert len(found) == len(sent)
    assert found == streamed_by_h11(data)
