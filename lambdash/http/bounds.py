"""What one peer, and all peers together, may make an HTTP listener hold or wait for."""

from collections.abc import Callable
from dataclasses import dataclass

from lambdash import limits
from lambdash.http.budget import ByteBudget
from lambdash.http.request import Request
from lambdash.http.upload import Handler, StreamHandler


@dataclass(frozen=True, slots=True)
class HttpBounds:
    """The bounds of one listener; every field has a default but the body's.

    ``on_too_large`` answers in the caller's own shape a request whose body is over
    ``body_bytes``: it is called before the body is read (chunked: when the count passes the
    bound) and gets the request with an empty body. Without it the answer is a plain 413.
    ``budget`` is shared with other listeners: a body for which there is no room is refused as
    ``on_overload`` answers, else by a plain 503.
    ``on_head`` may take a request's body in pieces: it decides by the head alone (the request has
    an empty body) and must not raise. Such a body has no bound but the sink's own, and may rest
    for ``idle_timeout_s`` between two pieces, for longer while its sink has paused it.
    ``body_bytes_of`` tells another bound; it is asked only about bodies over ``body_bytes``.
    Times are seconds, precise to one sweep (a quarter of the shortest of them).
    """

    body_bytes: int
    head_bytes: int = limits.HTTP_HEAD_MAX_BYTES
    headers: int = limits.HTTP_HEADERS_MAX
    target_bytes: int = limits.HTTP_TARGET_MAX_BYTES
    backlog_bytes: int = limits.HTTP_BACKLOG_MAX_BYTES
    connections: int = limits.HTTP_CONNECTIONS_MAX
    head_timeout_s: float = limits.HTTP_HEAD_TIMEOUT_S
    body_timeout_s: float = limits.HTTP_BODY_TIMEOUT_S
    idle_timeout_s: float = limits.HTTP_IDLE_TIMEOUT_S
    write_timeout_s: float = limits.HTTP_WRITE_TIMEOUT_S
    linger_s: float = limits.HTTP_LINGER_S
    linger_bytes: int = limits.HTTP_LINGER_MAX_BYTES
    on_too_large: Handler | None = None
    budget: ByteBudget | None = None
    on_overload: Handler | None = None
    on_head: Callable[[Request], StreamHandler | None] | None = None
    body_bytes_of: Callable[[Request], int] | None = None
