"""Requests and answers over real sockets."""

import asyncio
import socket
from pathlib import Path

import pytest

from lambdash.errors import PlatformError
from lambdash.http.server import (
    HttpBounds,
    Request,
    Responder,
    ResponseMisuse,
    serve_tcp,
    serve_unix,
)
from tests.http.wire import BOUNDS, Parked, echo, listening, until

GET = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"


async def test_an_answer_is_one_write_with_its_length() -> None:
    async with listening(echo) as listener:
        peer = await listener.peer()
        await peer.send(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nPOST /x abc"
        assert await peer.exactly(len(answer)) == answer


async def test_what_a_request_says() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(
            b"GET http://h/a%20b?c=d?e HTTP/1.1\r\nHOST: h\r\nX-A:  1 \t\r\nX-B:\r\n\r\n"
        )
        request, responder = await parked.request()
        assert (request.method, request.path, request.query) == ("GET", "/a%20b", "c=d?e")
        assert request.target == b"http://h/a%20b?c=d?e"
        assert request.headers == [(b"host", b"h"), (b"x-a", b"1"), (b"x-b", b"")]
        assert (request.header(b"x-a"), request.header(b"x-b")) == (b"1", b"")
        assert request.header(b"x-c") is None
        assert repr(request) == "<Request GET b'http://h/a%20b?c=d?e' body=0 bytes>"
        responder.send(204, (), b"ignored")
        assert await peer.head() == b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_bodies_in_pieces_and_chunks() -> None:
    async with listening(echo) as listener:
        peer = await listener.peer()
        await peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\na")
        await peer.send(b"bc")
        await peer.send(b"d")
        assert await peer.answer() == (200, b"PUT / abcd")
        await peer.send(
            b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: t\r\n\r\n"
        )
        assert await peer.answer() == (200, b"PUT / abcd")


async def test_pipelined_requests_are_answered_in_order() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(3)))
        for number in range(3):
            request, responder = await parked.request(number + 1)
            assert len(parked.seen) == number + 1
            responder.send(200, (), request.target)
            assert await peer.answer() == (200, b"/%d" % number)


async def test_thousands_of_pipelined_requests() -> None:
    async with listening(echo) as listener:
        peer = await listener.peer()
        count = 5_000
        sending = asyncio.create_task(peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * count))
        expected = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nGET / "
        assert await peer.exactly(len(expected) * count) == expected * count
        await sending


async def test_an_answer_and_the_next_poll_in_one_segment() -> None:
    polls: list[Responder] = []

    def runtime_api(request: Request, responder: Responder) -> None:
        if request.method == "GET":
            polls.append(responder)
        else:
            responder.send(202, (), b"ok")

    async with listening(runtime_api) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        await until(lambda: len(polls) == 1)
        for turn in range(3):
            polls[turn].send(200, (), b"event")
            assert await peer.answer() == (200, b"event")
            await peer.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1" + GET)
            assert await peer.answer() == (202, b"ok")
            await until(lambda turn=turn: len(polls) == turn + 2)


async def test_a_peer_that_goes_while_it_waits_is_noticed() -> None:
    parked = Parked()
    lost = asyncio.Event()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.on_disconnect = lost.set
        assert responder.is_open
        peer.writer.transport.abort()
        async with asyncio.timeout(5):
            await lost.wait()
        assert not responder.is_open
        responder.send(200, (), b"to nobody")
        responder.start(200, ())
        responder.write(b"x")
        responder.end()
        await responder.drain()


async def test_a_peer_that_shuts_its_side_down_has_gone() -> None:
    parked = Parked()
    lost = asyncio.Event()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.on_disconnect = lost.set
        peer.writer.write_eof()
        async with asyncio.timeout(5):
            await lost.wait()


async def test_a_complete_answer_is_not_lost_afterwards() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.on_disconnect = lambda: pytest.fail("it was answered")
        responder.send(200, (), b"")
        await peer.close()
        await until(lambda: len(listener.server.connections) == 0)


async def test_persistence() -> None:
    async with listening(echo) as listener:
        for request, connection, stays in (
            (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"close", False),
            (b"GET / HTTP/1.0\r\n\r\n", b"close", False),
            (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"keep-alive", True),
        ):
            peer = await listener.peer()
            await peer.send(request)
            head = await peer.head()
            assert b"\r\nconnection: " + connection + b"\r\n" in head
            assert await peer.exactly(6) == b"GET / "
            if stays:
                await peer.send(GET)
                assert (await peer.answer())[0] == 200
            else:
                assert await peer.rest() == b""


async def test_what_follows_the_last_request_is_not_answered() -> None:
    async with listening(echo) as listener:
        peer = await listener.peer()
        last = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        answer = await peer.exchange(last + GET)
        assert answer.count(b"HTTP/1.1") == 1


async def test_head_has_the_length_and_no_body() -> None:
    def either(request: Request, responder: Responder) -> None:
        if request.path == "/stream":
            responder.start(200, ())
            responder.write(b"abc")
            responder.end()
        else:
            responder.send(200, (), b"12345")

    async with listening(either) as listener:
        peer = await listener.peer()
        await peer.send(
            b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"
        )
        assert await peer.head() == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
        assert await peer.head() == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        await peer.send(GET)
        assert await peer.answer() == (200, b"12345")


async def test_expect_continue() -> None:
    async with listening(echo) as listener:
        peer = await listener.peer()
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n"
        await peer.send(head)
        assert await peer.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.send(b"ab")
        assert await peer.answer() == (200, b"POST / ab")


async def test_continue_waits_for_its_turn() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        await peer.send(GET + head)
        _, responder = await parked.request()
        responder.send(200, (), b"first")
        assert await peer.answer() == (200, b"first")
        assert await peer.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.send(b"ab")
        request, _ = await parked.request(2)
        assert request.body == b"ab"


async def test_a_streamed_answer() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.start(200, ((b"content-type", b"application/x-ndjson"),))
        responder.write(b"{}\n")
        responder.write(b"")
        responder.write(b"x" * 17)
        responder.end()
        assert await peer.head() == (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        body = b"3\r\n{}\n\r\n11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"
        assert await peer.exactly(len(body)) == body
        assert not responder.is_open
        for misuse in (
            lambda: responder.write(b"more"),
            responder.end,
            lambda: responder.send(200, (), b""),
            lambda: responder.start(200, ()),
        ):
            with pytest.raises(ResponseMisuse):
                misuse()


async def test_a_streamed_answer_to_http_1_0_ends_with_the_connection() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _, responder = await parked.request()
        responder.start(200, ())
        responder.write(b"abc")
        responder.end()
        assert await peer.rest() == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc"


async def test_back_pressure() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.start(200, ())
        await responder.drain()
        size = 16 * 1024 * 1024
        responder.write(b"x" * size)
        draining = asyncio.create_task(responder.drain())
        cancelled = asyncio.create_task(responder.drain())
        await asyncio.sleep(0)
        cancelled.cancel()
        assert not draining.done()
        await peer.head()
        await peer.exactly(size)
        async with asyncio.timeout(5):
            await draining


async def test_drain_ends_when_the_peer_goes() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.start(200, ())
        responder.write(b"x" * 16 * 1024 * 1024)
        draining = asyncio.create_task(responder.drain())
        await asyncio.sleep(0)
        peer.writer.transport.abort()
        async with asyncio.timeout(5):
            await draining
        assert not responder.is_open


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nset-cookie: b"),
        (b"x", b"a\nb"),
        (b"x", b"a\rb"),
        (b"x\r\ny", b"a"),
        (b"x", b"a\0b"),
        (b"Content-Length", b"3"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
    ],
)
async def test_a_forged_header_raises_and_sends_nothing(header: tuple[bytes, bytes]) -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        with pytest.raises(ResponseMisuse):
            responder.send(200, (header,), b"")
        with pytest.raises(ResponseMisuse):
            responder.start(200, (header,))
        responder.send(299, (), b"clean")
        assert await peer.answer() == (299, b"clean")


async def test_a_handler_that_fails_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_request: Request, _responder: Responder) -> None:
        raise ValueError("a bug")

    async with listening(broken) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        assert await peer.answer() == (500, b"internal error\n")
        await peer.send(GET)
        assert (await peer.answer())[0] == 500
    assert "an HTTP handler failed" in caplog.text


async def test_a_handler_that_fails_in_mid_answer_cuts_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_request: Request, responder: Responder) -> None:
        responder.start(200, ())
        responder.write(b"abc")
        raise ValueError("a bug")

    async with listening(broken) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await peer.exactly(1000)
    assert "an HTTP handler failed" in caplog.text


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = await serve_unix(echo, path, BOUNDS)
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        assert server.port == 0
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
    finally:
        await server.close()
    assert not path.exists()


async def test_close_leaves_the_socket_of_a_successor(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = await serve_unix(echo, path, BOUNDS)
    second = await serve_unix(echo, path, BOUNDS)
    await first.close()
    assert path.exists()
    await second.close()
    await second.close()
    assert not path.exists()


async def test_addresses_that_cannot_be_had(tmp_path: Path) -> None:
    async with listening(echo) as listener:
        with pytest.raises(PlatformError) as taken:
            await serve_tcp(echo, "127.0.0.1", listener.server.port, BOUNDS)
        assert taken.value.code == "port-in-use"
    with pytest.raises(PlatformError) as elsewhere:
        await serve_tcp(echo, "192.0.2.1", 0, BOUNDS)
    assert elsewhere.value.code == "cannot-listen"
    with pytest.raises(PlatformError) as nowhere:
        await serve_unix(echo, tmp_path / "no" / "s", BOUNDS)
    assert nowhere.value.code == "cannot-listen"


async def test_close_lets_an_owed_answer_out_and_cuts_what_does_not_come() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        idle, polite, stuck = [await listener.peer() for _ in range(3)]
        await polite.send(GET)
        await parked.request(1)
        await stuck.send(GET)
        await parked.request(2)
        await until(lambda: len(listener.server.connections) == 3)

        closing = asyncio.create_task(listener.server.close(0.2))
        assert await idle.rest() == b""
        parked.seen[0][1].send(200, (), b"ok")
        answer = await polite.rest()
        assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
        await closing
        assert not parked.seen[1][1].is_open
        with pytest.raises(OSError):
            await listener.peer()


async def test_no_delay_is_set() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        transport = responder._connection._transport
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_a_stream_that_was_begun_before_the_close_ends_its_connection() -> None:
    parked = Parked()
    async with listening(parked) as listener:
        peer = await listener.peer()
        await peer.send(GET)
        _, responder = await parked.request()
        responder.start(200, ())
        closing = asyncio.create_task(listener.server.close(5))
        await asyncio.sleep(0)
        responder.write(b"abc")
        responder.end()
        assert (await peer.rest()).endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        await closing


async def test_a_large_body_arrives_whole() -> None:
    parked = Parked()
    body = bytes(range(256)) * 16_000
    async with listening(parked, HttpBounds(body_bytes=len(body))) as listener:
        peer = await listener.peer()
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
        sending = asyncio.create_task(peer.send(head + body + GET))
        request, responder = await parked.request()
        assert request.body == body
        responder.send(200, (), b"")
        await sending
        following, _ = await parked.request(2)
        assert following.target == b"/a?b=c"
