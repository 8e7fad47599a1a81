"""What is kept for one subscriber, and when it goes out: no I/O, ``now`` is an argument.

A batch goes out when it is full or old enough, one at a time and in order. One that was not taken
is kept and tried again, later each time. Twice the bounds of a batch are kept (AWS: expect payloads
of ``2 * maxBytes``); what comes on top is counted and told (``platform.logsDropped``).
"""

from typing import NamedTuple

from lambdash import limits
from lambdash.runtime_api.subscriptions import Buffering


class Dropped(NamedTuple):
    """How much was not kept since it was last told."""

    records: int
    size_bytes: int


class TelemetryBuffer:
    """Records are JSON documents; times are monotonic seconds."""

    __slots__ = (
        "_buffering", "_dropped", "_failures", "_first_at", "_flushing", "_in_flight",
        "_not_before", "_records", "_size",
    )  # fmt: skip

    def __init__(self, buffering: Buffering) -> None:
        self._buffering = buffering
        self._records: list[bytes] = []
        self._size = 0
        self._first_at = 0.0
        self._flushing = False
        self._in_flight: list[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._dropped = Dropped(0, 0)

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken."""
        return not self._records and self._in_flight is None

    def add(self, record: bytes, now: float) -> None:
        """Keep a record, unless there is no room for it."""
        if self._holds(2):
            self._drop(record)
            return
        if not self._records:
            self._first_at = now
        self._records.append(record)
        self._size += len(record)

    def flush(self) -> None:
        """Let what is kept go out without waiting for its time."""
        self._flushing = True
        self._not_before = 0.0

    @property
    def due(self) -> float | None:
        """When to ask for the next batch; None while one is out, or there is nothing."""
        if self._in_flight is not None or not self._records:
            return None
        if self._flushing or self._holds(1):
            return self._not_before
        return max(self._not_before, self._first_at + self._buffering.timeout_ms / 1000)

    def take(self) -> list[bytes]:
        """The batch that is due; it is out until ``taken`` or ``refused``."""
        assert self._in_flight is None, "one batch at a time"
        batch = self._records
        self._in_flight, self._records = batch, []
        self._size = 0
        self._flushing = False
        return batch

    def taken(self) -> Dropped | None:
        """The subscriber has it; what had to be dropped meanwhile is for the caller to record."""
        assert self._in_flight is not None, "a batch was taken"
        self._in_flight = None
        self._failures = 0
        self._not_before = 0.0
        dropped, self._dropped = self._dropped, Dropped(0, 0)
        return dropped if dropped.records else None

    def refused(self, now: float) -> None:
        """Nobody listens there, or it answered with an error: the batch comes again, later."""
        assert self._in_flight is not None, "a batch was taken"
        kept, self._in_flight = self._in_flight, None
        if not self._records:
            self._first_at = now
        self._records = kept + self._records
        self._size = sum(map(len, self._records))
        self._failures += 1
        wait_s = limits.TELEMETRY_RETRY_MIN_S * 2 ** min(self._failures - 1, 16)
        self._not_before = now + min(wait_s, limits.TELEMETRY_RETRY_MAX_S)

    def _holds(self, batches: int) -> bool:
        return (
            len(self._records) >= batches * self._buffering.max_items
            or self._size >= batches * self._buffering.max_bytes
        )

    def _drop(self, record: bytes) -> None:
        records, size_bytes = self._dropped
        self._dropped = Dropped(records + 1, size_bytes + len(record))
