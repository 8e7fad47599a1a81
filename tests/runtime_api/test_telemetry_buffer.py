"""When batches go out, what is kept, and what is dropped."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdash import limits
from lambdash.runtime_api.subscriptions import Buffering
from lambdash.runtime_api.telemetry_buffer import Dropped, TelemetryBuffer

SMALL = Buffering(max_items=3, max_bytes=100, timeout_ms=1_000)


def test_a_batch_goes_out_when_it_is_old_enough() -> None:
    buffer = TelemetryBuffer(SMALL)
    assert buffer.due is None
    buffer.add(b"a", 10.0)
    buffer.add(b"b", 10.5)
    assert buffer.due == 11.0
    assert buffer.take() == [b"a", b"b"]
    assert buffer.due is None
    assert buffer.taken() is None
    assert buffer.is_empty


def test_a_batch_goes_out_when_it_has_enough_items_or_bytes() -> None:
    for records in ([b"a", b"b", b"c"], [b"x" * 100]):
        buffer = TelemetryBuffer(SMALL)
        for record in records:
            buffer.add(record, 10.0)
        assert buffer.due == 0.0


def test_a_flush_waits_for_nothing() -> None:
    buffer = TelemetryBuffer(SMALL)
    buffer.flush()
    assert buffer.due is None
    buffer.add(b"a", 10.0)
    assert buffer.due == 0.0
    buffer.take()
    buffer.refused(10.0)
    assert buffer.due == 11.0


def test_what_was_not_taken_comes_again_later_each_time_and_in_order() -> None:
    buffer = TelemetryBuffer(Buffering(max_items=1, max_bytes=100, timeout_ms=25))
    buffer.add(b"a", 0.0)
    waits = []
    for _ in range(9):
        batch = buffer.take()
        assert batch[0] == b"a"
        buffer.refused(100.0)
        due = buffer.due
        assert due is not None
        waits.append(due - 100.0)
    assert [round(wait, 3) for wait in waits[:3]] == [0.1, 0.2, 0.4]
    assert waits[-1] == limits.TELEMETRY_RETRY_MAX_S
    buffer.add(b"b", 100.0)
    assert buffer.take() == [b"a", b"b"]
    buffer.taken()
    buffer.add(b"c", 200.0)
    assert buffer.due == 0.0


def test_what_comes_meanwhile_stands_behind_what_is_tried_again() -> None:
    buffer = TelemetryBuffer(SMALL)
    buffer.add(b"a", 0.0)
    buffer.take()
    buffer.add(b"b", 0.0)
    buffer.refused(0.0)
    assert buffer.take() == [b"a", b"b"]


def test_what_there_is_no_room_for_is_counted_and_told_once() -> None:
    buffer = TelemetryBuffer(SMALL)
    for number in range(8):
        buffer.add(b"%d" % number, 0.0)
    assert buffer.take() == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert buffer.taken() == Dropped(2, 2)
    buffer.add(b"x", 0.0)
    buffer.take()
    assert buffer.taken() is None


class Deliveries(RuleBasedStateMachine):
    """Whatever a subscriber does: each record once, in order, or counted as dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = TelemetryBuffer(SMALL)
        self.now = 0.0
        self.added: list[bytes] = []
        self.received: list[bytes] = []
        self.dropped = 0
        self.out: list[bytes] | None = None

    @rule(size=st.integers(1, 60))
    def add(self, size: int) -> None:
        record = b"%0*d" % (size, len(self.added))
        self.added.append(record)
        self.buffer.add(record, self.now)

    @rule()
    def flush(self) -> None:
        self.buffer.flush()

    @precondition(lambda self: self.out is None and self.buffer.due is not None)
    @rule()
    def take(self) -> None:
        due = self.buffer.due
        assert due is not None
        self.now = max(self.now, due)
        self.out = self.buffer.take()
        assert self.out

    @precondition(lambda self: self.out is not None)
    @rule(really=st.booleans())
    def deliver(self, really: bool) -> None:
        assert self.out is not None
        if really:
            self.received += self.out
            dropped = self.buffer.taken()
            self.dropped += 0 if dropped is None else dropped.records
        else:
            self.buffer.refused(self.now)
        self.out = None

    @invariant()
    def nothing_comes_twice_or_out_of_order(self) -> None:
        places = [int(record) for record in self.received]
        assert places == sorted(set(places))

    @invariant()
    def memory_is_bounded(self) -> None:
        assert self.buffer._size <= 2 * (2 * 100 + 60) + 60

    def teardown(self) -> None:
        for _ in range(3):
            if self.out is not None:
                self.deliver(True)
            if self.buffer.due is not None:
                self.take()
        if self.out is not None:
            self.deliver(True)
        assert self.buffer.is_empty
        assert len(self.received) + self.dropped == len(self.added)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
