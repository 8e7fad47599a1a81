"""Requests known again by their bytes: what says the same as before is not parsed again."""

from lambdash import limits
from lambdash.http.request import Request

_KNOWN_MAX = 4


class Repeats:
    """One connection's memory of whole requests.

    A runtime polls, and many a caller asks, with the same bytes again and again. Polls are known
    at once, requests with a body when they recur: most bodies never do.
    """

    __slots__ = ("_last_with_body", "known")

    def __init__(self) -> None:
        self._last_with_body = b""
        self.known: dict[bytes, Request] = {}

    def remember(self, data: bytes | memoryview, request: Request) -> None:
        """``data`` was exactly this one request, which asked to keep the connection."""
        if len(data) > limits.HTTP_REPEATED_MAX_BYTES or not isinstance(data, bytes):
            return
        if request.body and data != self._last_with_body:
            self._last_with_body = data
            return
        if len(self.known) >= _KNOWN_MAX:
            self.known.clear()
        self.known[data] = request
