"""What functions print: split into lines, attributed to an invocation, bounded, passed on."""

from collections.abc import Callable
from typing import TypeAlias

from lambdash import limits
from lambdash.emulator.log_stream import LogStream
from lambdash.runtime_api.platform_records import PlatformRecord
from lambdash.storage.journal import LogRow

LogSink: TypeAlias = Callable[[LogRow], None]
_PLATFORM = "platform"


class LogCapture:
    """The output of one environment. ``wall`` gives epoch seconds; ``sink`` takes whole lines."""

    __slots__ = (
        "_dropped", "_kept", "_open", "_request_id", "_sink", "_tail", "_wall", "listener",
        "stream",
    )  # fmt: skip

    def __init__(self, stream: LogStream, sink: LogSink, wall: Callable[[], float]) -> None:
        self.stream = stream
        # who else gets each line, before it is filtered: the stream it was written to, and its text
        self.listener: Callable[[str, str], None] | None = None
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
        self._add_to_tail(data)
        room = limits.LOG_KEPT_PER_INVOCATION_MAX_BYTES - self._kept
        if len(data) > room:
            self._dropped += len(data) - room
            data = data[:room]
        self._kept += len(data)
        if data:
            self._split(stream, data)

    def record(self, record: PlatformRecord) -> None:
        """Pass on what the platform says of the environment, where its log has that."""
        entry = self.stream.entry(record)
        if entry is not None:
            self._finish_lines()
            self._add_to_tail(f"{entry}\n".encode())
            self._pass(record.at, _PLATFORM, entry)

    def tail(self) -> bytes:
        """The last 4 KB that were written since ``begin``, whole."""
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
            self._pass(self._wall(), _PLATFORM, text)
            self._dropped = 0

    def _add_to_tail(self, data: bytes) -> None:
        self._tail += data
        del self._tail[: -limits.LOG_TAIL_MAX_BYTES]

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
        if self.listener is not None:
            self.listener(stream, text)
        if self.stream.keeps(text):
            self._pass(self._wall(), stream, text)

    def _pass(self, at: float, stream: str, text: str) -> None:
        log = self.stream
        function = log.subject.function_name
        self._sink((at, function, log.environment, self._request_id, stream, text))


class LogHub:
    """Hands every line to the journal and to whoever follows the logs.

    ``followers`` is empty when nobody does: the lines that the journal makes when it is read are
    then not made at all.
    """

    def __init__(self, journal: LogSink) -> None:
        self._journal = journal
        self.followers: list[LogSink] = []

    def publish(self, line: LogRow) -> None:
        """Pass one line to all."""
        self._journal(line)
        self.tell(line)

    def tell(self, line: LogRow) -> None:
        """Pass on to followers what the journal has in another form."""
        for follower in tuple(self.followers):
            follower(line)

    def follow(self, follower: LogSink) -> Callable[[], None]:
        """Call ``follower`` with each new line until the returned function is called."""
        self.followers.append(follower)
        return lambda: self.followers.remove(follower)
