"""Bytes in, complete requests out: llhttp in its strict form, and what it leaves open decided here.

llhttp refuses what frames badly: bare CR and LF, folded lines, NULs, ``Content-Length`` beside
``Transfer-Encoding`` or twice, chunk sizes that overflow. Decided here: sizes and counts, versions,
exactly one ``Host`` (RFC 9112 3.2), no transfer coding but ``chunked``, no upgrade, ``Expect``.
"""

from io import BytesIO
from typing import Protocol

import httptools

from lambdash import limits
from lambdash.http.bounds import HttpBounds
from lambdash.http.request import Headers, Request
from lambdash.http.responder import HTTP_10, LAST, ONLY_HEAD, PLAIN
from lambdash.http.upload import StreamHandler

BETWEEN, HEAD, BODY = range(3)
_METHODS = {b"GET": "GET", b"POST": "POST", b"PUT": "PUT", b"DELETE": "DELETE"}
_SPECIAL = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))
_NONE = Request("", b"", [], b"")


class Refused(Exception):
    """The request, and with it the connection, is refused; the parser is of no more use."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class TooLarge(Refused):
    """The body is over the bound; ``request`` is the request without it."""

    def __init__(self, request: Request) -> None:
        super().__init__(413, "the body is larger than this listener takes")
        self.request = request


class Overloaded(Refused):
    """The body is within its bound, but all bodies together are not."""

    def __init__(self, request: Request) -> None:
        super().__init__(503, "too many request bodies are held already")
        self.request = request


class Sink(Protocol):
    """Who gets what the parser finds, in the order of arrival. Must not raise."""

    def continue_wanted(self) -> None:
        """The peer waits for ``100 Continue`` before it sends the body."""
        ...

    def request_complete(self, request: Request, mode: int) -> None:
        """A request is complete; ``mode`` is how it must be answered (``responder.PLAIN``...)."""
        ...

    def upload_begun(self, request: Request, handler: StreamHandler, mode: int) -> None:
        """A head is complete, and its body will come in pieces, in place of a whole request."""
        ...

    def upload_piece(self, piece: bytes) -> None:
        """The next piece of the upload."""
        ...

    def upload_complete(self, trailers: Headers) -> None:
        """The upload is complete."""
        ...


class RequestParser:
    """The parser of one connection. ``feed`` raises ``Refused``; never feed it afterwards.

    ``completed`` counts requests; ``phase`` says which part of one was read last.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_body_length",
        "_bounds",
        "_final",
        "_headers",
        "_http_10",
        "_idle_bytes",
        "_keep_alive",
        "_parser",
        "_refusal",
        "_request",
        "_sink",
        "_streamed",
        "_target",
        "_trailer_bytes",
        "_trailers",
        "charged",
        "completed",
        "phase",
    )

    def __init__(self, bounds: HttpBounds, sink: Sink) -> None:
        self._bounds = bounds
        self._sink = sink
        self.phase = BETWEEN
        self._idle_bytes = 0
        self._refusal: Refused | None = None
        self._final = False
        self.completed = 0
        self._keep_alive = True
        self._http_10 = False
        self._body_bytes = 0
        self._body_length = 0
        self._request = _NONE
        self._body: bytes | BytesIO = b""
        # what the body at hand took from the budget; whoever clears it must give it back
        self.charged = 0
        self._parser = httptools.HttpRequestParser(self)

    @property
    def body_bytes_left(self) -> int:
        """How much is still to come of a body whose length the head told."""
        return self._body_length - self._body_bytes if self.phase == BODY else 0

    def feed(self, data: bytes | memoryview) -> None:
        """Parse ``data``; calls the sink as it goes.

        Of what is not a body, feed at most ``HTTP_PARSE_MAX_BYTES`` at a time.
        """
        if self._final:
            return
        body_bytes = self._body_bytes
        completed = self.completed
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if self._refusal is None:
                raise error.__context__ or error from None
            raise self._refusal from None
        except httptools.HttpParserError as error:
            if not self._final:
                raise Refused(400, str(error)) from error
        if self.phase != BETWEEN or self.completed == completed:
            self._bound_silence(len(data), body_bytes)

    def release(self) -> None:
        """Break the cycles with the C parser and the connection, which was lost."""
        del self._parser, self._sink
        self._request = _NONE
        self._body = b""

    def on_message_begin(self) -> None:
        self.phase = HEAD
        self._target = b""
        self._headers: Headers = []
        self._body = b""
        self._body_bytes = 0
        self._body_length = 0
        self._trailer_bytes = 0
        self._streamed = False

    def on_url(self, fragment: bytes) -> None:
        self._target += fragment
        if len(self._target) > self._bounds.target_bytes:
            self._refuse(Refused(414, "the target is longer than this listener takes"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase == BODY:
            self._trailer_bytes += len(name) + len(value) + 4
            if self._trailer_bytes > self._bounds.head_bytes:
                self._refuse(Refused(431, "the trailers are larger than this listener takes"))
            if self._streamed:
                self._trailers.append((name.lower(), value.rstrip()))
            return
        self._headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        parser = self._parser
        self._idle_bytes = 0
        self.phase = BODY
        self._keep_alive = parser.should_keep_alive()
        version = parser.get_http_version()
        self._http_10 = version == "1.0"
        if version != "1.1" and not self._http_10:
            self._refuse(Refused(505, "only HTTP/1.1 and HTTP/1.0 are spoken here"))
        if parser.should_upgrade():
            self._refuse(Refused(501, "this listener does not upgrade or tunnel"))
        special = self._judge_head()
        self._request = Request(self._method(), self._target, self._headers, b"")
        choose = self._bounds.on_head
        handler = None if choose is None else choose(self._request)
        self._streamed = handler is not None
        expects = False
        if len(special) > 1 or b"host" not in special:
            expects = self._judge_body(special)
        if handler is not None:
            self._trailers: Headers = []
            self._sink.upload_begun(self._request, handler, self._mode())
        if expects:
            self._sink.continue_wanted()

    def on_body(self, piece: bytes) -> None:
        self._body_bytes += len(piece)
        if self._streamed:
            self._sink.upload_piece(piece)
            return
        if self._body_bytes > self._bounds.body_bytes and self._body_bytes > self._body_bound():
            self._refuse_body()
        if self._body_bytes > self._body_length:  # chunked: nobody said how much there is
            self._charge(self._body_bytes)
        if not self._body:
            self._body = piece
            return
        if isinstance(self._body, bytes):
            # its value is handed out as it is: the whole body is never there twice
            grown = BytesIO()
            grown.write(self._body)
            self._body = grown
        self._body.write(piece)

    def on_message_complete(self) -> None:
        self.phase = BETWEEN
        self._idle_bytes = 0
        self.completed += 1
        self._final = not self._keep_alive
        if self._streamed:
            self._sink.upload_complete(self._trailers)
            return
        body, self._body = self._body, b""
        request = self._request
        request.body = body.getvalue() if isinstance(body, BytesIO) else body
        plain = self._keep_alive and not self._http_10 and request.method != "HEAD"
        mode = PLAIN if plain else self._mode()
        self._request = _NONE  # or a connection at rest would hold the body
        self._sink.request_complete(request, mode)

    def _judge_head(self) -> dict[bytes, bytes]:
        """Refuse a bad head; give the fields that frame the body."""
        size = len(self._target)
        special: dict[bytes, bytes] = {}
        for name, value in self._headers:
            size += len(name) + len(value) + 4
            if name in _SPECIAL:
                if name in special:
                    self._refuse(Refused(400, f"more than one {name.decode()}"))
                special[name] = value
        if size > self._bounds.head_bytes or len(self._headers) > self._bounds.headers:
            self._refuse(Refused(431, "the head is larger than this listener takes"))
        if b"host" not in special and not self._http_10:
            self._refuse(Refused(400, "no Host"))
        return special

    def _judge_body(self, special: dict[bytes, bytes]) -> bool:
        """Refuse bad framing; True when the peer waits to be asked for the body."""
        coding = special.get(b"transfer-encoding")
        if coding is not None:
            if self._http_10:
                self._refuse(Refused(400, "Transfer-Encoding in HTTP/1.0"))
            if coding.lower() != b"chunked":
                self._refuse(Refused(501, "no transfer coding but chunked is supported"))
        length = int(special.get(b"content-length", b"0").lstrip(b"0") or b"0")
        self._body_length = length
        if not self._streamed:
            if length > self._bounds.body_bytes and length > self._body_bound():
                self._refuse_body()
            self._charge(length)
        expectation = special.get(b"expect")
        if expectation is None or self._http_10:
            return False
        if expectation.lower() != b"100-continue":
            self._refuse(Refused(417, "no expectation but 100-continue is known"))
        return length > 0 or coding is not None

    def _bound_silence(self, fed: int, body_bytes_before: int) -> None:
        """Bound what arrives without completing a request, a head, or adding to a body.

        A head is judged exactly once complete; this only stops one that never ends. The same
        holds for blank lines before it, chunk extensions and trailers.
        """
        if self.phase == BODY and self._body_bytes != body_bytes_before:
            self._idle_bytes = 0
            return
        self._idle_bytes += fed
        if self._idle_bytes > 2 * self._bounds.head_bytes + limits.HTTP_PARSE_MAX_BYTES:
            raise Refused(431, "the head is larger than this listener takes")

    def _body_bound(self) -> int:
        bound_of = self._bounds.body_bytes_of
        return self._bounds.body_bytes if bound_of is None else bound_of(self._request)

    def _refuse_body(self) -> None:
        self._refuse(TooLarge(self._request))

    def _charge(self, body_bytes: int) -> None:
        budget = self._bounds.budget
        if budget is None or body_bytes < limits.HTTP_COUNTED_BODY_MIN_BYTES:
            return
        if not budget.take(body_bytes - self.charged):
            self._refuse(Overloaded(self._request))
        self.charged = body_bytes

    def _refuse(self, refusal: Refused) -> None:
        self._refusal = refusal
        raise refusal

    def _mode(self) -> int:
        mode = PLAIN if self._keep_alive else LAST
        if self._http_10:
            mode |= HTTP_10
        if self._request.method == "HEAD":
            mode |= ONLY_HEAD
        return mode

    def _method(self) -> str:
        method: bytes = self._parser.get_method()
        return _METHODS.get(method) or method.decode("ascii")
