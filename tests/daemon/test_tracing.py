"""A waterfall: contiguous phases, none negative, what is left told as such."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.daemon.tracing import trace_document
from lambdash.storage.journal import JournalEntry

MARKS = (
    "received", "resolved", "packaged", "image_ready", "assigned", "network_ready", "created",
    "started", "runtime_started", "first_next", "dispatched", "responded", "next",
)  # fmt: skip


def traced(**marks: float) -> dict[str, Any]:
    entry = JournalEntry("r", "hello", "v", "e", "s", "succeeded", "cold", 1e9, marks, None, None)
    return trace_document(entry)


def cold(**changed: float) -> dict[str, float]:
    return {name: 100.0 + index for index, name in enumerate(MARKS)} | changed


def lengths(document: dict[str, Any]) -> dict[str, float]:
    return {phase["name"]: phase["length_ms"] for phase in document["phases"]}


def test_a_cold_start_has_every_phase_and_no_gap() -> None:
    document = traced(**cold())
    assert list(lengths(document)) == [
        "resolve", "package", "prepare", "queue", "network", "create", "start", "launcher",
        "init", "dispatch", "duration",
    ]  # fmt: skip
    ends = [phase["start_ms"] + phase["length_ms"] for phase in document["phases"]]
    assert [phase["start_ms"] for phase in document["phases"]] == [0.0, *ends[:-1]]
    assert document["total_ms"] == 11_000.0
    assert document["unaccounted_ms"] == 0.0


def test_warm() -> None:
    document = traced(received=1.0, resolved=1.001, dispatched=1.002, responded=1.005)
    assert lengths(document) == {"resolve": 1.0, "dispatch": 1.0, "duration": 3.0}
    assert (document["total_ms"], document["unaccounted_ms"]) == (5.0, 0.0)


def test_a_runtime_that_overtook_the_engines_reply() -> None:
    """``started`` is the engine's word; the runtime may run, and even poll, before it."""
    document = traced(**cold(started=108.5))
    assert lengths(document)["launcher"] == 0.0
    assert lengths(document)["start"] == 2_000.0
    assert document["unaccounted_ms"] == 0.0


def test_what_no_phase_covers_is_told() -> None:
    document = traced(received=1.0, responded=2.0)
    assert (document["phases"], document["unaccounted_ms"]) == ([], 1_000.0)


def test_an_invocation_without_an_answer_has_no_total() -> None:
    assert traced(received=1.0, resolved=1.0)["total_ms"] == 0.0


@given(
    st.lists(st.integers(0, 10_000), min_size=len(MARKS), max_size=len(MARKS)),
    st.sets(st.sampled_from(MARKS[1:4])) | st.just(set(MARKS[4:10])),
)
def test_phases_never_overlap(moments: list[int], missing: set[str]) -> None:
    ordered = zip(MARKS, sorted(moments), strict=True)
    document = traced(**{name: at / 1000 for name, at in ordered if name not in missing})
    end = 0.0
    for phase in document["phases"]:
        assert phase["length_ms"] >= 0
        assert phase["start_ms"] >= end - 0.01
        end = phase["start_ms"] + phase["length_ms"]
    assert document["unaccounted_ms"] >= -0.01
    assert sum(lengths(document).values()) + document["unaccounted_ms"] == pytest.approx(
        document["total_ms"], abs=0.01
    )
