"""One HTTP/1.1 connection: requests to the handler one at a time, answers in their order.

Callbacks only, no task or timer per request. Reading goes on while an answer is owed, so that a
peer that goes is noticed; what it sends meanwhile waits, unparsed and bounded.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from lambdash import limits
from lambdash.http.bounds import HttpBounds
from lambdash.http.budget import give_back
from lambdash.http.connections import Connections
from lambdash.http.parser import BETWEEN, BODY, Refused, RequestParser
from lambdash.http.refusals import PLAIN_TEXT, answer_to, report
from lambdash.http.repeats import Repeats
from lambdash.http.request import Headers, Request
from lambdash.http.responder import LAST, PLAIN, Responder, response_head
from lambdash.http.upload import Handler, StreamHandler, Upload

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FULL = response_head(503, (), b"content-length: 0\r\nconnection: close\r\n")


class HttpProtocol(asyncio.Protocol):
    """Serves one connection. ``connections`` bounds and sweeps it together with its siblings."""

    __slots__ = (
        "_backlog", "_bounds", "_connections", "_continue_owed", "_current", "_discarded_bytes",
        "_handler", "_known", "_lingering", "_parsed", "_parser", "_reading_paused", "_refused",
        "_repeats", "_since", "_transport", "_upload", "_waiting", "_working", "_write_paused",
        "_write_paused_at", "retiring",
    )  # fmt: skip

    def __init__(
        self, handler: Handler, bounds: HttpBounds, connections: Connections | None = None
    ) -> None:
        self._handler = handler
        self._bounds = bounds
        self._connections = Connections(bounds) if connections is None else connections
        self._parser = RequestParser(bounds, self)
        self._parsed: Request | None = None
        self._repeats = Repeats()
        self._known = self._repeats.known
        self._transport: asyncio.Transport | None = None
        # the request being handled, and those parsed behind it
        self._current: Responder | None = None
        self._waiting: deque[tuple[Handler, Request, Responder]] = deque()
        # the request whose body is being handed over in pieces
        self._upload: Upload | None = None
        # what was read but not parsed while an answer was owed
        self._backlog = bytearray()
        self._continue_owed = False
        self._working = False
        self._since = 0.0
        self._reading_paused = False
        self._write_paused = False
        self._write_paused_at = 0.0
        self.retiring = False
        # after a refusal: nothing is parsed any more; after its answer: the rest is thrown away
        self._refused = False
        self._lingering = False
        self._discarded_bytes = 0

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        if self._connections.add(self):
            self._since = self._connections.now
        else:
            # no lingering: nobody would sweep it
            transport.write(_FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self._current is None and len(data) <= limits.HTTP_PARSE_MAX_BYTES:
            known = self._known.get(data)
            hindered = self._refused or self._write_paused or self.retiring
            if known is not None and self._parser.phase == BETWEEN and not hindered:
                self._repeat(known)
                return
        if self._refused:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > self._bounds.linger_bytes:
                self.abort()
        elif (self._current is not None or self._write_paused) and self._held:
            self._keep(data)
        elif len(data) <= limits.HTTP_PARSE_MAX_BYTES:
            self._parse(data)
        else:
            self._parse_in_slices(memoryview(data))

    def eof_received(self) -> None:
        """A peer that shuts its side down has gone: nothing tells it from one that died."""

    def pause_writing(self) -> None:
        self._write_paused = True
        self._write_paused_at = self._connections.now

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._current is not None:
            self._current.caught_up()
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.remove(self)
        self._backlog.clear()
        for _, _, responder in self._waiting:
            give_back(self._bounds.budget, responder)
        self._waiting.clear()
        give_back(self._bounds.budget, self._parser)
        self._parser.release()
        upload, self._upload = self._upload, None
        if upload is not None:
            self._hand_over(upload, upload.abort)
        current, self._current = self._current, None
        if current is not None:
            give_back(self._bounds.budget, current)
            current.lost()

    # What the parser calls

    def continue_wanted(self) -> None:
        self._continue_owed = True
        self._send_continue()

    def request_complete(self, request: Request, mode: int) -> None:
        if self._refused:
            return
        self._continue_owed = False
        self._parsed = None if mode else request
        responder = Responder(self, mode)
        if self._parser.charged:
            responder.charged, self._parser.charged = self._parser.charged, 0
        self._take(self._handler, request, responder)

    def upload_begun(self, request: Request, handler: StreamHandler, mode: int) -> None:
        if self._refused:
            return
        self._parsed = None
        responder = Responder(self, mode | LAST)
        self._upload = Upload(handler, request, responder, keep_alive=not mode & LAST)
        self._take(self._upload.begin, request, responder)

    def upload_piece(self, piece: bytes) -> None:
        self._since = self._connections.now
        upload = self._upload
        if upload is not None:
            self._hand_over(upload, lambda: upload.data(piece))

    def upload_complete(self, trailers: Headers) -> None:
        self._continue_owed = False
        upload, self._upload = self._upload, None
        if upload is not None:
            self._hand_over(upload, lambda: upload.end(trailers))

    # What a responder calls

    def transmit(self, data: bytes) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    @property
    def is_congested(self) -> bool:
        return self._write_paused

    def pace_body(self, responder: Responder, *, paused: bool) -> None:
        upload = self._upload
        if upload is not None and upload.responder is responder:
            upload.paused = paused
            self._since = self._connections.now
            self._work()

    def finished(self, responder: Responder, data: bytes) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(data)
        self._current = None
        self._since = self._connections.now
        responder.on_disconnect = None  # it may hold the responder: such a cycle a turn is garbage
        if responder.charged:
            give_back(self._bounds.budget, responder)
        if self._upload is not None and self._upload.responder is responder:
            # answered before the body was there: the rest of it is thrown away
            self._upload = None
            self._stop_parsing()
        if self.retiring or not responder.keeps_alive:
            self._end()
        elif self._waiting or self._backlog or self._continue_owed:
            self._work()

    def sweep(self, now: float) -> None:
        bounds = self._bounds
        waited_s = now - self._since
        if self._transport is None:
            return
        if self._write_paused:
            late = now - self._write_paused_at > bounds.write_timeout_s
        elif self._transport.is_closing():
            late = waited_s > bounds.write_timeout_s
        elif self._lingering:
            late = waited_s > bounds.linger_s
        elif self._current is not None:
            late = waited_s > bounds.idle_timeout_s and not self._held
        else:
            late = False
            self._sweep_reading(waited_s)
        if late:
            self.abort()

    def retire(self) -> None:
        self.retiring = True
        if self._current is None and not self._lingering:
            self._close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _sweep_reading(self, waited_s: float) -> None:
        phase = self._parser.phase
        if phase == BETWEEN:
            if waited_s > self._bounds.idle_timeout_s:
                self._close()
        elif waited_s > (
            self._bounds.body_timeout_s if phase == BODY else self._bounds.head_timeout_s
        ):
            self._refuse(Refused(408, "the request took too long to arrive"))

    def _parse(self, data: bytes | memoryview) -> None:
        was_working, self._working = self._working, True
        parser = self._parser
        phase, completed = parser.phase, parser.completed
        try:
            parser.feed(data)
        except Refused as refusal:
            self._refuse(refusal)
        finally:
            self._working = was_working
        parsed, self._parsed = self._parsed, None
        if parser.phase != phase:
            self._since = self._connections.now
        elif phase == BETWEEN and parsed is not None and parser.completed == completed + 1:
            self._repeats.remember(data, parsed)
        if self._waiting:
            self._work()

    def _repeat(self, request: Request) -> None:
        """Handle a request that was known by its bytes; only plain ones are."""
        self._current = responder = Responder(self, PLAIN)
        self._working = True
        try:
            self._handler(request, responder)
        except Exception as error:
            self._handler_failed(request, responder, error)
        self._working = False
        if self._waiting or self._backlog:
            self._work()

    def _parse_in_slices(self, data: memoryview) -> None:
        """Parse a bounded number of requests at a time; what an owed answer holds up waits."""
        start = 0
        while start < len(data) and not self._refused:
            if (self._current is not None or self._write_paused) and self._held:
                self._keep(data[start:])
                return
            end = start + max(limits.HTTP_PARSE_MAX_BYTES, self._parser.body_bytes_left)
            self._parse(data[start:end])
            start = end

    @property
    def _held(self) -> bool:
        """Whether what is read must wait: an answer is owed, or a sink wants no more for now."""
        current = self._current
        if current is None:
            return self._write_paused
        upload = self._upload
        return upload is None or upload.responder is not current or upload.paused

    def _take(self, handler: Handler, request: Request, responder: Responder) -> None:
        """Handle a request now, or in its turn."""
        if self._current is None and not self._write_paused and not self._waiting:
            self._handle(handler, request, responder)
        else:
            self._waiting.append((handler, request, responder))

    def _handle(self, handler: Handler, request: Request, responder: Responder) -> None:
        self._current = responder
        try:
            handler(request, responder)
        except Exception as error:
            self._handler_failed(request, responder, error)

    def _hand_over(self, upload: Upload, deliver: Callable[[], None]) -> None:
        try:
            deliver()
        except Exception as error:
            self._handler_failed(upload.request, upload.responder, error)

    def _handler_failed(self, request: Request, responder: Responder, error: Exception) -> None:
        report(request, error)
        if responder.is_waiting:
            responder.send(500, PLAIN_TEXT, b"internal error\n")
        elif responder.is_open:
            self.abort()

    def _work(self) -> None:
        """Go on, as far as possible: with parsed requests first, then with raw bytes."""
        if self._working:
            return
        self._working = True
        try:
            while self._transport and not self._held:
                if self._waiting and self._current is None:
                    self._handle(*self._waiting.popleft())
                elif self._backlog and not self._refused:
                    data = bytes(self._backlog[: limits.HTTP_PARSE_MAX_BYTES])
                    del self._backlog[: limits.HTTP_PARSE_MAX_BYTES]
                    self._parse(data)
                else:
                    break
        finally:
            self._working = False
        self._send_continue()
        self._read_on()

    def _read_on(self) -> None:
        if self._reading_paused and len(self._backlog) <= self._bounds.backlog_bytes // 2:
            self._reading_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def _keep(self, data: bytes | memoryview) -> None:
        self._backlog += data
        if len(self._backlog) > self._bounds.backlog_bytes and not self._reading_paused:
            assert self._transport is not None
            self._reading_paused = True
            self._transport.pause_reading()

    def _send_continue(self) -> None:
        current = self._current
        asks = not self._waiting if current is None else current.is_waiting and not self._held
        if self._continue_owed and asks:
            self._continue_owed = False
            self.transmit(_CONTINUE)

    def _refuse(self, refusal: Refused) -> None:
        """Answer a bad request in its turn; from here on what the peer sends is thrown away."""
        if self._refused:
            return
        self._stop_parsing()
        handler, request = answer_to(refusal, self._bounds)
        upload, self._upload = self._upload, None
        if upload is not None:
            if upload.begun:
                self._break_off(upload, handler)
                return
            self._waiting.pop()  # the refusal takes its turn
        responder = Responder(self, LAST)
        self._waiting.append((handler, request, responder))
        self._work()

    def _break_off(self, upload: Upload, handler: Handler) -> None:
        self._hand_over(upload, upload.abort)
        if upload.responder.is_waiting:
            handler(upload.request, upload.responder)
        elif upload.responder.is_open:
            self.abort()

    def _stop_parsing(self) -> None:
        self._refused = True
        self._continue_owed = False
        give_back(self._bounds.budget, self._parser)
        self._backlog.clear()
        self._read_on()

    def _end(self) -> None:
        """The last answer was given: close, or linger until the peer has read a refusal."""
        if self._refused and self._transport is not None and self._transport.can_write_eof():
            self._lingering = True
            try:
                self._transport.write_eof()
            except OSError:  # the peer is gone, and the system knows before the transport does
                self._close()
        else:
            self._close()

    def _close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._since = self._connections.now
            self._transport.close()
