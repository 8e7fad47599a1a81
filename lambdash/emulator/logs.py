"""What functions print: split into lines, attributed to an invocation, bounded, passed on."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from lambdash import limits
from lambdash.storage.journal import LogRow

LogSink: TypeAlias = Callable[[LogRow], None]


class LogCapture:
    """The output of one environment. ``wall`` gives epoch seconds; ``sink`` takes whole lines."""

    __slots__ = (
        "_dropped", "_environment", "_function", "_kept", "_open", "_request_id", "_sink", "_tail",
        "_wall",
    )  # fmt: skip

    def __init__(
        self, function: str, environment: str, sink: LogSink, wall: Callable[[], float]
    ) -> None:
        self._function = function
        self._environment = environment
        self._sink = sink
        self._wall = wall
        self._request_id: str | None = None
        self._tail = bytearray()
        self._open: dict[str, bytearray] = {}
        self._kept = 0
        self._dropped = 0

    def begin(self, request_id: str) -> None:
        """From here on output belongs to this invocation; what was printed before does not."""
        self.end()
        self._request_id = request_id
        if self._tail:
            self._tail = bytearray()
        self._kept = 0

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes as they come; a line is passed on when it is whole."""
        self._tail += data
        del self._tail[: -limits.LOG_TAIL_MAX_BYTES]
        room = limits.LOG_KEPT_PER_INVOCATION_MAX_BYTES - self._kept
        if len(data) > room:
            self._dropped += len(data) - room
            data = data[:room]
        self._kept += len(data)
        if data:
            self._split(stream, data)

    def tail(self) -> bytes:
        """The last 4 KB since ``begin``, whole (AWS ``X-Amz-Log-Result`` before base64)."""
        return bytes(self._tail)

    def end(self) -> None:
        """Pass on what was printed without a newline, and say what was not kept."""
        if self._kept:
            self._finish_lines()
        self._request_id = None

    def _finish_lines(self) -> None:
        for stream, rest in self._open.items():
            if rest:
                self._emit(stream, bytes(rest))
                rest.clear()
        if self._dropped:
            text = f"lambdash: {self._dropped} more bytes of output were not kept"
            self._emit("platform", text.encode())
            self._dropped = 0

    def _split(self, stream: str, data: bytes) -> None:
        rest = self._open.setdefault(stream, bytearray())
        *lines, last = data.split(b"\n")
        for line in lines:
            self._emit(stream, bytes(rest) + line)
            rest.clear()
        rest += last
        while len(rest) > limits.LOG_LINE_MAX_BYTES:
            self._emit(stream, bytes(rest[: limits.LOG_LINE_MAX_BYTES]))
            del rest[: limits.LOG_LINE_MAX_BYTES]

    def _emit(self, stream: str, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._sink(
            (self._wall(), self._function, self._environment, self._request_id, stream, text)
        )


class LogHub:
    """Hands every line to the journal and to whoever follows the logs."""

    def __init__(self, journal: LogSink) -> None:
        self._journal = journal
        self._followers: list[LogSink] = []

    def publish(self, line: LogRow) -> None:
        """Pass one line to all."""
        self._journal(line)
        for follower in tuple(self._followers):
            follower(line)

    def follow(self, follower: LogSink) -> Callable[[], None]:
        """Call ``follower`` with each new line until the returned function is called."""
        self._followers.append(follower)
        return lambda: self._followers.remove(follower)


def log_stream(now: datetime, version: str) -> str:
    """``2026/01/31/[$LATEST]<32 hex digits>``, as AWS names the log stream of an environment."""
    return f"{now:%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"
