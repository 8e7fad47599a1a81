"""The journal keeps what it is given, newest first, within its bounds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.model import Timings
from lambdash.storage.journal import InvocationRow, Journal, LineQuery, StreamRow


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def row(request_id: str, function: str = "hello", outcome: str = "succeeded") -> InvocationRow:
    marks = Timings(received=1.0, dispatched=1.5, responded=2.0).in_microseconds()
    return (
        request_id,
        function,
        "r1",
        "e1",
        "s1",
        outcome,
        "warm",
        1e9,
        marks,
        None,
        None,
        None,
        5,
        None,
    )


def test_newest_first(journal: Journal) -> None:
    journal.append([row("a"), row("b")], [])
    journal.append([row("c")], [])
    assert [entry.request_id for entry in journal.recent(limit=2)] == ["c", "b"]


def test_filters(journal: Journal) -> None:
    journal.append([row("a"), row("b", "other"), row("c", outcome="timed_out")], [])
    assert [entry.request_id for entry in journal.recent(10, function="other")] == ["b"]
    assert [entry.request_id for entry in journal.recent(10, outcome="timed_out")] == ["c"]
    assert journal.recent(10, function="other", outcome="timed_out") == []


def test_entry_round_trips(journal: Journal) -> None:
    journal.append([row("a")], [])
    entry = journal.entry("a")
    assert entry is not None
    assert entry.marks == {"received": 1.0, "dispatched": 1.5, "responded": 2.0}
    assert (entry.function_error, entry.error) == (None, None)
    assert journal.entry("last") == entry
    assert journal.entry("nobody") is None


def test_log_lines_in_order_of_printing(journal: Journal) -> None:
    journal.append([], [(1.0, "f", "e", "a", "stdout", "one"), (2.0, "f", "e", None, "stderr", "")])
    assert [line.text for line in journal.log_lines(10)] == ["one", ""]
    assert [line.text for line in journal.log_lines(10, LineQuery(request_id="a"))] == ["one"]
    assert [line.at for line in journal.log_lines(10, LineQuery("f", since=1.5))] == [2.0]
    assert [line.at for line in journal.log_lines(1)] == [2.0]


def test_lines_of_some_environments_until_a_moment(journal: Journal) -> None:
    rows = [(float(n), "f", f"e{n % 3}", None, "stdout", str(n)) for n in range(9)]
    journal.append([], rows)
    query = LineQuery(environments={"e0", "e2"}, until=6.0)
    assert [line.text for line in journal.log_lines(10, query)] == ["0", "2", "3", "5"]
    kept = journal.log_lines(2, keep=lambda text: text < "5")
    assert [line.text for line in kept] == ["3", "4"]
    assert len({line.id for line in journal.log_lines(10)}) == 9


def test_log_streams(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOURNAL_MAX_LOG_STREAMS", 2)
    rows = [StreamRow(f"e{n}", float(n), "f", "/aws/lambda/f", f"s{n}", "{}") for n in range(3)]
    for row in rows:
        journal.append([], [], [row])
    assert journal.log_streams() == {row.environment: row for row in rows[1:]}


def test_bounded_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOURNAL_MAX_LOG_CHARS", 100)
    path = tmp_path / "sized.sqlite"
    for number in range(30):
        journal = Journal(path)  # the size is known again
        journal.append([], [(0.0, "f", "e", None, "stdout", f"{number:010d}")])
        kept = [int(line.text) for line in journal.log_lines(100)]
        assert kept == list(range(number - len(kept) + 1, number + 1)), "the newest"
        assert min(number + 1, 10) <= len(kept) <= 11
        journal.close()


def test_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOURNAL_MAX_INVOCATIONS", 20)
    monkeypatch.setattr(limits, "JOURNAL_MAX_LOG_LINES", 2)
    lines = [(float(n), "f", "e", None, "stdout", str(n)) for n in range(5)]
    for start in range(0, 100, 5):
        journal.append([row(str(n)) for n in range(start, start + 5)], lines)
        kept = [int(entry.request_id) for entry in journal.recent(limit=1_000)]
        newest = start + 4
        assert kept == list(range(newest, newest - len(kept), -1))
        assert min(20, start + 5) <= len(kept) <= 20 + 5
    assert [line.text for line in journal.log_lines(100)] == ["3", "4"]
