"""The timing line: parts come from their own marks, none is negative, none is counted twice."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.model import Timings
from lambdash.model.timings import summary_ms

NAMES = [field.name for field in fields(Timings)]
PARTS = ("package", "queue", "launch", "init", "duration", "overhead")


@st.composite
def timelines(draw: st.DrawFn) -> Timings:
    """Marks in their order, any of them missing but the ends: ``Flight`` sees to the order."""
    moments = draw(st.lists(st.integers(0, 10_000), min_size=len(NAMES), max_size=len(NAMES)))
    kept = draw(st.sets(st.sampled_from(NAMES))) | {"received", "responded"}
    ordered = zip(NAMES, sorted(moments), strict=True)
    return Timings(**{name: at / 1000 for name, at in ordered if name in kept})


@given(timelines())
def test_parts_never_exceed_the_total(timings: Timings) -> None:
    figures = summary_ms(timings)
    parts = [figures[name] for name in PARTS if name in figures]
    assert all(part >= -0.001 for part in parts), "none is negative"
    assert sum(parts) == pytest.approx(figures["total"], abs=0.01)


@given(timelines())
def test_a_part_is_there_only_with_both_its_marks(timings: Timings) -> None:
    figures = summary_ms(timings)
    assert ("init" in figures) == (None not in (timings.runtime_started, timings.first_next))
    assert ("launch" in figures) == (None not in (timings.assigned, timings.runtime_started))
    assert ("duration" in figures) == (timings.dispatched is not None)


def test_cold() -> None:
    timings = Timings(
        received=1.0, resolved=1.01, packaged=1.03, image_ready=1.04, assigned=1.05,
        runtime_started=1.15, first_next=1.25, dispatched=1.26, responded=1.36,
    )  # fmt: skip
    assert summary_ms(timings) == {
        "total": 360.0,
        "package": 30.0,
        "queue": 10.0,
        "launch": 100.0,
        "init": 100.0,
        "duration": 100.0,
        "overhead": 20.0,
    }


def test_warm() -> None:
    timings = Timings(received=1.0, resolved=1.0, dispatched=1.001, responded=1.003)
    assert summary_ms(timings) == {"total": 3.0, "queue": 1.0, "duration": 2.0, "overhead": 0.0}


def test_what_has_not_ended_has_no_total() -> None:
    assert summary_ms(Timings(received=1.0, resolved=1.5)) == {}


def test_marks_come_in_the_order_of_the_phases() -> None:
    assert list(Timings(responded=2.0, received=1.0).marks()) == ["received", "responded"]
