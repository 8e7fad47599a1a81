"""The answer to one request: whole in one write, or streamed in chunks."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from lambdash import limits

Pairs = Sequence[tuple[bytes, bytes]]

_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection"))
# RFC 9110 6.4.1: these have no content, whatever the handler says
_BODILESS = frozenset((204, 205, 304))

_WAITING, _STREAMING, _DONE, _LOST = range(4)
# how an answer departs from the plain one (whole, HTTP/1.1, the connection goes on): bits
PLAIN, LAST, HTTP_10, ONLY_HEAD = 0, 1, 2, 4


class ResponseMisuse(Exception):
    """The handler broke the contract: two answers, bytes after the end, a forged header."""


class Connection(Protocol):
    """What a responder needs of the connection that it answers on."""

    def transmit(self, data: bytes) -> None:
        """Write to the peer, or nowhere when it has gone."""
        ...

    def finished(self, responder: "Responder", data: bytes) -> None:
        """Write the end of an answer, which is complete now: the next request may be handled."""
        ...

    def pace_body(self, responder: "Responder", *, paused: bool) -> None:
        """Hand no more of the request's body over, or go on with it."""
        ...

    @property
    def is_congested(self) -> bool:
        """True while the peer lags behind what was written."""
        ...

    retiring: bool
    """True when this is the connection's last answer."""


def response_head(status: int, headers: Pairs, framing: bytes) -> bytes:
    """The head with its ``framing`` lines; ``ResponseMisuse`` for what would forge a line."""
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    return b"".join((line, _field_lines(headers), framing, b"\r\n"))


def _field_lines(headers: Pairs) -> bytes:
    fields = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
    count = len(headers)
    if fields.count(b"\n") != count or fields.count(b"\r") != count:
        raise ResponseMisuse("a header holds a line break")
    if b"\0" in fields:
        raise ResponseMisuse("a header holds a NUL")
    for name, _ in headers:
        if name.lower() in _FRAMING:
            raise ResponseMisuse(f"the server itself sets {name.decode('latin-1')}")
    return fields


# an answer whose headers are a constant tuple is built once
_constant_head = lru_cache(maxsize=256)(response_head)


class Responder:
    """Answers one request, at most once. After the peer has gone, answering does nothing.

    ``on_disconnect`` is called, once, when the peer goes before the answer is complete.
    ``on_writable`` is called each time a peer that lagged (``is_congested``) has caught up; never
    after the answer.
    """

    __slots__ = (
        "_caught_up",
        "_connection",
        "_mode",
        "_state",
        "charged",
        "on_disconnect",
        "on_writable",
    )

    def __init__(self, connection: Connection, mode: int) -> None:
        self._connection = connection
        self._mode = mode
        self._state = _WAITING
        self._caught_up: asyncio.Future[None] | None = None
        # what the request's body took from the budget: the connection's to give back
        self.charged = 0
        self.on_disconnect: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None

    @property
    def is_open(self) -> bool:
        """True while an answer can still be given, or continued, and the peer is there."""
        return self._state < _DONE

    @property
    def is_waiting(self) -> bool:
        """True until the answer was begun."""
        return self._state == _WAITING

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection outlives this answer."""
        return not self._mode & LAST

    def send_lines(self, lines: bytes, body: bytes) -> None:
        """Answer 200 with header lines that are ready, for the warm path.

        ``lines`` are ``name: value`` with their line ends; whoever made them vouches for them.
        """
        connection = self._connection
        if self._state or self._mode or connection.retiring:
            fields = [tuple(line.split(b": ", 1)) for line in lines.splitlines()]
            self.send(200, fields, body)  # type: ignore[arg-type]
            return
        self._state = _DONE
        if len(body) > limits.HTTP_JOINED_BODY_MAX_BYTES:
            head = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n" % (lines, len(body))
            connection.transmit(head)
            connection.finished(self, body)
        else:
            connection.finished(
                self,
                b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (lines, len(body), body),
            )

    def send(self, status: int, headers: Pairs, body: bytes) -> None:
        """Answer in one write; ``content-length`` is added."""
        if self._state != _WAITING:
            self._refuse_unless_lost("a second answer")
            return
        framing = self._persistence()
        if status in _BODILESS or status < 200:
            body = b""
        else:
            framing = b"content-length: %d\r\n%b" % (len(body), framing)
        build = _constant_head if type(headers) is tuple else response_head
        head = build(status, headers, framing)
        self._state = _DONE
        self._connection.finished(self, head if self._mode & ONLY_HEAD else head + body)

    def start(self, status: int, headers: Pairs) -> None:
        """Begin a streamed answer: chunked, or ended by closing for an HTTP/1.0 peer."""
        if self._state != _WAITING:
            self._refuse_unless_lost("a second answer")
            return
        if self._mode & HTTP_10:
            self._mode |= LAST
            framing = self._persistence()
        else:
            framing = b"transfer-encoding: chunked\r\n" + self._persistence()
        head = response_head(status, headers, framing)
        self._state = _STREAMING
        self._connection.transmit(head)

    def write(self, chunk: bytes) -> None:
        """Send a piece of a streamed answer; an empty one sends nothing."""
        if self._state != _STREAMING:
            self._refuse_unless_lost("bytes outside a streamed answer")
            return
        if not chunk or self._mode & ONLY_HEAD:
            return
        self._connection.transmit(
            chunk if self._mode & HTTP_10 else b"%x\r\n%b\r\n" % (len(chunk), chunk)
        )

    def end(self) -> None:
        """Complete a streamed answer."""
        if self._state != _STREAMING:
            self._refuse_unless_lost("an end outside a streamed answer")
            return
        self._state = _DONE
        self._release()
        last = b"" if self._mode & (ONLY_HEAD | HTTP_10) else b"0\r\n\r\n"
        self._connection.finished(self, last)

    async def drain(self) -> None:
        """Wait until the peer has taken enough of what was written, or has gone."""
        if self.is_congested:
            if self._caught_up is None:
                self._caught_up = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._caught_up)

    @property
    def is_congested(self) -> bool:
        """True while the peer lags: whoever writes on makes the daemon hold it in memory."""
        return self._state == _STREAMING and self._connection.is_congested

    def pause_body(self) -> None:
        """Take no more of a streamed request body for now; the peer is made to wait."""
        self._connection.pace_body(self, paused=True)

    def resume_body(self) -> None:
        """Take the request's body again."""
        self._connection.pace_body(self, paused=False)

    def body_complete(self) -> None:
        """A streamed body of a request that keeps the connection has ended (says the latter)."""
        if self._state == _WAITING:
            self._mode &= ~LAST

    def caught_up(self) -> None:
        """The peer has taken what was written (told by the connection)."""
        self._release()
        if self._state == _STREAMING and self.on_writable is not None:
            self.on_writable()

    def lost(self) -> None:
        """The peer has gone (told by the connection)."""
        if self._state < _DONE:
            self._state = _LOST
            self._release()
            callback, self.on_disconnect = self.on_disconnect, None
            if callback is not None:
                callback()

    def _release(self) -> None:
        caught_up, self._caught_up = self._caught_up, None
        if caught_up is not None and not caught_up.done():
            caught_up.set_result(None)

    def _persistence(self) -> bytes:
        if self._mode & LAST or self._connection.retiring:
            self._mode |= LAST
            return b"connection: close\r\n"
        return b"connection: keep-alive\r\n" if self._mode & HTTP_10 else b""

    def _refuse_unless_lost(self, what: str) -> None:
        if self._state != _LOST:
            raise ResponseMisuse(f"{what} to one request")
