"""What one environment tells its subscribers: platform records and lines of logs, in order.

It exists only where an extension was heard of. Order and members:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import time
from typing import NamedTuple

from lambdash import limits
from lambdash.emulator.delivery import Subscriber
from lambdash.emulator.flight import Flight
from lambdash.emulator.logs import LogCapture
from lambdash.runtime_api import platform_records as records
from lambdash.runtime_api.extensions import ExtensionReport
from lambdash.runtime_api.platform_records import (
    SUCCESS,
    Ending,
    Metrics,
    PlatformRecord,
    Span,
)
from lambdash.runtime_api.subscriptions import Subscription
from lambdash.runtime_api.telemetry_buffer import Dropped
from lambdash.runtime_api.telemetry_records import line_document, platform_document

_FALLEN_BEHIND = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."


class _Line(NamedTuple):
    kind: str
    at: float
    text: str


class Telemetry:
    """One life of an environment: from its extensions' start to their end.

    ``began`` is when its init phase began (monotonic seconds); ``phase`` is ``invoke`` after a
    reset. It listens to the lines of ``logs`` until ``close``.
    """

    def __init__(self, logs: LogCapture, began: float, phase: str) -> None:
        self._logs = logs
        self._subject = logs.stream.subject
        self._began = began
        self._phase = phase
        self._subscribers: dict[str, Subscriber] = {}
        # what a subscriber that comes late gets, too; None once none can come
        self._past: list[PlatformRecord | _Line] | None = []
        self._is_runtime_done = False
        self._turn: _Turn | None = None
        self._init_ms: float | None = None
        started_at = time.time() - (time.monotonic() - began)
        self._tell(records.init_start(self._subject, started_at, phase))
        logs.listener = self._line

    # -- subscribers ---------------------------------------------------------------------------

    def subscribe(self, subscription: Subscription) -> Subscriber:
        """A subscriber whose deliveries the caller must run; an earlier one of it ends."""
        earlier = self._subscribers.pop(subscription.extension, None)
        if earlier is not None:
            earlier.close()
        subscriber = Subscriber(subscription, self._dropped)
        self._subscribers[subscription.extension] = subscriber
        for entry in self._past or ():
            self._pass(subscriber, entry)
        api, name = subscription.api.value, subscription.extension
        self._log(records.subscription(time.time(), api, name, subscription.types))
        return subscriber

    def hold(self) -> None:
        """The environment stands still until the next invocation, or its end."""
        for subscriber in self._subscribers.values():
            subscriber.hold()

    def flush(self) -> None:
        """The end is near: send what there is."""
        for subscriber in self._subscribers.values():
            subscriber.release()
            subscriber.flush()

    def close(self) -> None:
        """The end."""
        self._past = None
        self._logs.listener = None
        for subscriber in self._subscribers.values():
            subscriber.close()

    # -- what happens --------------------------------------------------------------------------

    def runtime_ready(self) -> None:
        """The runtime asks for an invocation: its init, or its part of a turn, is done."""
        if self._is_runtime_done:
            return
        self._is_runtime_done = True
        if self._init_ms is None:
            self._tell(records.init_runtime_done(self._subject, time.time(), SUCCESS, self._phase))
        elif self._turn is not None:
            self._tell_runtime_done(self._turn, time.monotonic(), SUCCESS)

    def ready(self, extensions: tuple[ExtensionReport, ...], memory_bytes: int | None) -> None:
        """All ask for the next invocation: the init phase, or a turn, is over."""
        self.runtime_ready()
        if self._init_ms is None:
            self._tell_init(extensions, SUCCESS)
        elif self._turn is not None:
            self._tell_report(self._turn, SUCCESS, memory_bytes)
            self._turn = None

    def dispatched(self, flight: Flight) -> None:
        """An invocation was handed over."""
        for subscriber in self._subscribers.values():
            subscriber.release()
        self._is_runtime_done = False
        self._turn = _Turn(flight)
        self._tell(records.start(self._subject, time.time(), flight.invocation.request_id))

    def responded(self, produced_bytes: int) -> None:
        """The runtime answered."""
        if self._turn is not None:
            self._turn.responded = time.monotonic()
            self._turn.produced_bytes = produced_bytes

    def cut_off(
        self,
        ending: Ending,
        extensions: tuple[ExtensionReport, ...],
        memory_bytes: int | None,
    ) -> None:
        """The life ends amid its init phase, or amid a turn; nothing of it is waited for."""
        if self._init_ms is None:
            if not self._is_runtime_done:
                at = time.time()
                self._tell(records.init_runtime_done(self._subject, at, ending, self._phase))
            self._tell_init(extensions, ending)
        elif self._turn is not None:
            if not self._is_runtime_done:
                self._tell_runtime_done(self._turn, time.monotonic(), ending)
            self._tell_report(self._turn, ending, memory_bytes)
            self._turn = None
        self._is_runtime_done = True
        self.flush()

    # -- how it is told ------------------------------------------------------------------------

    def _tell_init(self, extensions: tuple[ExtensionReport, ...], ending: Ending) -> None:
        at = time.time()
        for report in extensions:
            self._log(records.extension(at, *report))
        self._init_ms = (time.monotonic() - self._began) * 1000
        self._tell(records.init_report(self._subject, at, self._init_ms, ending, self._phase))
        self._past = None

    def _tell_runtime_done(self, turn: "_Turn", now: float, ending: Ending) -> None:
        figures: dict[str, float | int] = {"durationMs": round(turn.since(now), 3)}
        spans = []
        if turn.responded is not None:
            figures["producedBytes"] = turn.produced_bytes
            begun = time.time() - (time.monotonic() - turn.began)
            latency_ms = turn.since(turn.responded)
            spans.append(Span("responseLatency", begun, latency_ms))
        at, request_id = time.time(), turn.flight.invocation.request_id
        self._tell(records.runtime_done(at, request_id, figures, ending, spans))

    def _tell_report(self, turn: "_Turn", ending: Ending, memory_bytes: int | None) -> None:
        at, request_id = time.time(), turn.flight.invocation.request_id
        memory_mb = self._subject.memory_size_mb
        used_mb = None if memory_bytes is None else -(-memory_bytes // limits.MIB)
        metrics = Metrics(
            turn.since(time.monotonic()),
            memory_mb,
            None if used_mb is None else min(used_mb, memory_mb),
            self._init_ms if turn.flight.start == "cold" else None,
        )
        self._tell(records.end(at, request_id))
        self._tell(records.report(at, request_id, metrics, ending))

    def _dropped(self, dropped: Dropped) -> None:
        told = records.logs_dropped(
            time.time(), dropped.records, dropped.size_bytes, _FALLEN_BEHIND
        )
        self._log(told)

    def _line(self, stream: str, text: str) -> None:
        kind = "extension" if stream == "extension" else "function"
        self._tell(_Line(kind, time.time(), text))

    def _log(self, record: PlatformRecord) -> None:
        """Tell what stands in the environment's log as well."""
        self._logs.record(record)
        self._tell(record)

    def _tell(self, entry: PlatformRecord | _Line) -> None:
        if self._past is not None and len(self._past) < limits.TELEMETRY_REPLAYED_MAX_RECORDS:
            self._past.append(entry)
        for subscriber in self._subscribers.values():
            self._pass(subscriber, entry)

    def _pass(self, subscriber: Subscriber, entry: PlatformRecord | _Line) -> None:
        subscription = subscriber.subscription
        document = (
            line_document(subscription, *entry)
            if isinstance(entry, _Line)
            else platform_document(subscription, entry)
        )
        if document is not None:
            subscriber.add(document)


class _Turn:
    """One invocation in hand; times are monotonic seconds."""

    __slots__ = ("began", "flight", "produced_bytes", "responded")

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.began = time.monotonic()
        self.responded: float | None = None
        self.produced_bytes = 0

    def since(self, until: float) -> float:
        """Milliseconds from the beginning of the turn."""
        return (until - self.began) * 1000
