"""The clock that stands still."""

import pytest

from lambdash.clock import Clock, SystemClock
from lambdash.testing import ManualClock


def test_all_its_times_move_together_and_only_by_jumps() -> None:
    clock = ManualClock()
    before = (clock.monotonic(), clock.wall(), clock.epoch())
    assert before == (clock.monotonic(), clock.wall(), clock.epoch())
    clock.jump(1.5)
    assert clock.monotonic() - before[0] == 1.5
    assert (clock.wall() - before[1]).total_seconds() == 1.5
    assert clock.epoch() - before[2] == pytest.approx(1.5)


def test_monotonic_time_never_goes_back() -> None:
    with pytest.raises(AssertionError):
        ManualClock().jump(-1)


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()], ids=["manual", "system"])
def test_both_keep_the_protocol(clock: Clock) -> None:
    assert clock.wall().utcoffset() is not None
    assert clock.wall().timestamp() == pytest.approx(clock.epoch(), abs=1)
    assert clock.monotonic() <= clock.monotonic()
