"""A request whose body is handed over in pieces as it arrives: it is never held whole."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from lambdash.http.request import Headers, Request
from lambdash.http.responder import Responder


class BodySink(Protocol):
    """Who takes a body in pieces. Hears nothing more once the answer is complete.

    A sink that cannot keep up calls ``Responder.pause_body``, and ``resume_body`` later; what was
    read before may still come. One that answers before ``end`` gives up the connection with it.
    """

    def data(self, chunk: bytes) -> None:
        """The next piece of the body; never empty."""
        ...

    def end(self, trailers: Headers) -> None:
        """The body is complete; the names of its trailers are lower-case."""
        ...

    def aborted(self) -> None:
        """No ``end`` will come: the peer went, was silent for too long, or broke the framing."""
        ...


Handler: TypeAlias = Callable[[Request, Responder], None]
# Called when the request's turn has come; the request has an empty body. It refuses by answering:
# the sink then hears nothing.
StreamHandler: TypeAlias = Callable[[Request, Responder], BodySink]


class Upload:
    """The body of one request on its way from the parser to its sink.

    What is parsed while an earlier answer is owed waits here: no more than the slice that was
    being parsed.
    """

    __slots__ = (
        "_handler",
        "_keep_alive",
        "_pieces",
        "_sink",
        "_trailers",
        "paused",
        "request",
        "responder",
    )

    def __init__(
        self, handler: StreamHandler, request: Request, responder: Responder, *, keep_alive: bool
    ) -> None:
        self._handler = handler
        self._keep_alive = keep_alive
        self._sink: BodySink | None = None
        self._pieces: list[bytes] = []
        self._trailers: Headers | None = None
        self.request = request
        self.responder = responder
        self.paused = False

    @property
    def begun(self) -> bool:
        """Whether a sink was made."""
        return self._sink is not None

    def begin(self, request: Request, responder: Responder) -> None:
        """The request's turn has come (a ``Handler``)."""
        self._sink = self._handler(request, responder)
        pieces, self._pieces = self._pieces, []
        for piece in pieces:
            self.data(piece)
        if self._trailers is not None:
            self.end(self._trailers)

    def data(self, piece: bytes) -> None:
        """Pass a piece on."""
        if self._sink is None:
            self._pieces.append(piece)
        elif self.responder.is_open:
            self._sink.data(piece)

    def end(self, trailers: Headers) -> None:
        """The body is complete: an answer given from here on leaves the connection as it is."""
        if self._keep_alive:
            self.responder.body_complete()
        if self._sink is None:
            self._trailers = trailers
        elif self.responder.is_open:
            self._sink.end(trailers)

    def abort(self) -> None:
        """The rest will not come."""
        if self._sink is not None and self.responder.is_open:
            self._sink.aborted()
