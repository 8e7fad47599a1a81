"""A deadline is never early, never lost, and called once."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdash.emulator.deadline import Deadline


class Timer:
    """One armed call of the loop below."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False

    def when(self) -> float:
        return self.at

    def cancel(self) -> None:
        self.cancelled = True


class Loop(asyncio.AbstractEventLoop):
    """A loop of which only the clock and ``call_at`` are used; time moves by ``advance``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def advance(self, to: float) -> None:
        while due := [timer for timer in self.timers if not timer.cancelled and timer.at <= to]:
            timer = min(due, key=Timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.call()
        self.now = max(self.now, to)


STEPS = st.lists(
    st.tuples(st.just("set"), st.integers(0, 50))
    | st.tuples(st.just("clear"), st.just(0))
    | st.tuples(st.just("advance"), st.integers(0, 30))
)


@given(STEPS)
def test_called_once_at_the_last_moment_set(steps: list[tuple[str, int]]) -> None:
    loop, called = Loop(), []
    deadline = Deadline(loop, lambda: called.append(loop.now))
    expected: list[float] = []
    at: float | None = None
    for step, amount in steps:
        if step == "set":
            at = loop.now + amount
            deadline.set(at)
        elif step == "clear":
            at = None
            deadline.set(None)
        else:
            loop.advance(loop.now + amount)
            if at is not None and at <= loop.now:
                expected.append(at)
                at = None
        assert called == expected
    assert len([timer for timer in loop.timers if not timer.cancelled]) <= 1


def test_moving_it_later_arms_nothing() -> None:
    loop = Loop()
    deadline = Deadline(loop, lambda: None)
    for moment in (10.0, 20.0, 30.0):
        deadline.set(moment)
    assert len(loop.timers) == 1


def test_a_closed_one_is_silent() -> None:
    loop, called = Loop(), []
    deadline = Deadline(loop, lambda: called.append(1))
    deadline.set(1.0)
    deadline.close()
    loop.advance(5.0)
    assert called == []


def test_it_may_be_set_again_from_its_own_call() -> None:
    loop = Loop()
    called: list[float] = []

    def again() -> None:
        called.append(loop.now)
        if len(called) < 3:
            deadline.set(loop.now + 1)

    deadline = Deadline(loop, again)
    deadline.set(1.0)
    loop.advance(10.0)
    assert called == [1.0, 2.0, 3.0]
