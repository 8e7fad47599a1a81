"""A response that comes in pieces: from the runtime's request straight to whoever invoked."""

from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple, Protocol

from lambdash import limits
from lambdash.http.request import Headers
from lambdash.http.responder import Responder
from lambdash.runtime_api.session import Commands, Session


class Flow(Protocol):
    """How a caller that cannot keep up makes the runtime wait."""

    def pause_body(self) -> None:
        """Send no more for now; what was read before may still come."""
        ...

    def resume_body(self) -> None:
        """Go on."""
        ...


class ResponseHead(NamedTuple):
    """What is known when a response begins; ``content_type`` is the runtime's, or empty."""

    content_type: str
    executed_version: str


class ResponseSink(Protocol):
    """Who takes a response in pieces. Its end is the invocation's own: ``done`` with the outcome.

    A response that the runtime did not stream never comes here, but with the outcome; of one that
    it did, the outcome's payload is empty, or the error amid it. Methods must not raise.
    """

    def begin(self, head: ResponseHead, flow: Flow) -> None:
        """The response begins."""
        ...

    def data(self, chunk: bytes) -> None:
        """The next piece, as it came."""
        ...


class StreamedResponse:
    """The body of one ``/response`` in streaming mode (an ``http`` body sink).

    Without a sink it is collected, up to the size of a response that is not streamed.
    """

    __slots__ = ("_collected", "_maximum", "_perform", "_responder", "_session", "_sink", "size")

    def __init__(
        self,
        session: Session,
        responder: Responder,
        perform: Callable[[Commands], None],
        sink: ResponseSink | None,
    ) -> None:
        self._session = session
        self._responder = responder
        self._perform = perform
        self._sink = sink
        self._collected = BytesIO()
        self._maximum = (
            limits.RESPONSE_PAYLOAD_MAX_BYTES if sink is None else limits.RESPONSE_STREAM_MAX_BYTES
        )
        self.size = 0

    def data(self, chunk: bytes) -> None:
        """Pass a piece on; the session has been told when it is one too many."""
        self.size += len(chunk)
        if self.size > self._maximum:
            self._perform(self._session.overflow_response(self._responder, self._maximum))
        elif self._sink is not None:
            self._sink.data(chunk)
        else:
            self._collected.write(chunk)

    def end(self, trailers: Headers) -> None:
        """All of it has come."""
        self._perform(self._session.end_response(self._responder, trailers))

    def aborted(self) -> None:
        """The runtime went, or broke the framing."""
        self._perform(self._session.break_response(self._responder))

    def collected(self) -> bytes:
        """What no sink was there for."""
        return self._collected.getvalue()

    def detach(self) -> None:
        """The invocation was answered otherwise: what still comes goes nowhere, at full speed."""
        self._sink = _NOBODY
        self._responder.resume_body()


class _Nobody:
    def begin(self, head: ResponseHead, flow: Flow) -> None:
        """Nobody waits for it."""

    def data(self, chunk: bytes) -> None:
        """Nobody waits for it."""


_NOBODY = _Nobody()
