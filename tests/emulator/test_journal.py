"""Write-behind: nothing recorded is lost, a reader sees all of it, floods are bounded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.emulator.journal import Finished, JournalWriter
from lambdash.errors import PlatformError
from lambdash.model import Outcome, PlatformFailed, Succeeded, Throttled, TimedOut, Timings
from lambdash.storage.journal import InvocationRow, Journal, LogRow, StreamRow


class Counting(Journal):
    """Counts what was written at once, and can be made to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: list[tuple[int, int]] = []
        self.error: PlatformError | None = None

    def append(
        self,
        invocations: Sequence[InvocationRow],
        lines: Sequence[LogRow],
        streams: Sequence[StreamRow] = (),
    ) -> None:
        if self.error is not None:
            raise self.error
        self.batches.append((len(invocations), len(lines)))
        super().append(invocations, lines, streams)


@pytest.fixture
def journal(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "journal.sqlite")


@pytest.fixture
async def writer(journal: Counting) -> AsyncIterator[JournalWriter]:
    writer = JournalWriter(journal)
    yield writer
    await writer.close()


def finished(request_id: str, outcome: Outcome | None = None) -> Finished:
    timings = Timings(received=1.0, responded=2.0)
    ended = outcome or Succeeded(b"1")
    return Finished(request_id, "hello", "v", "e", "s", ended, "warm", 1e9, timings)


LINE: LogRow = (1.0, "hello", "e", "a", "stdout", "x")


async def test_a_reader_sees_what_was_recorded_before(writer: JournalWriter) -> None:
    writer.add(finished("a"))
    writer.add_line(LINE)
    entry = await writer.read(lambda journal: journal.entry("a"))
    assert entry is not None
    assert entry.marks == {"received": 1.0, "responded": 2.0}
    assert len(await writer.read(lambda journal: journal.log_lines(10))) == 1


async def test_a_batch_is_one_write(writer: JournalWriter, journal: Counting) -> None:
    for number in range(100):
        writer.add(finished(str(number)))
        writer.add_line(LINE)
    assert journal.batches == [], "nothing on the caller's own time"
    await writer.read(lambda journal: None)
    assert journal.batches == [(100, 100)]


@pytest.mark.parametrize(
    ("outcome", "error", "reason"),
    [
        (Succeeded(b""), None, None),
        (TimedOut(b""), "Unhandled", None),
        (Throttled("Reserved"), None, "Reserved"),
        (PlatformFailed("no-space", "full"), None, "full (no-space)"),
    ],
)
async def test_what_is_kept_of_an_outcome(
    writer: JournalWriter, outcome: Outcome, error: str | None, reason: str | None
) -> None:
    writer.add(finished("a", outcome))
    entry = await writer.read(lambda journal: journal.entry("a"))
    assert entry is not None
    assert (entry.outcome, entry.function_error, entry.error) == (outcome.kind, error, reason)


async def test_a_flood_of_lines_is_bounded(
    writer: JournalWriter, journal: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOURNAL_MAX_PENDING_LINES", 5)
    for _ in range(20):
        writer.add_line(LINE)
    *kept, said = await writer.read(lambda journal: journal.log_lines(100))
    assert [line.text for line in kept] == ["x"] * 5
    assert (said.stream, said.request_id) == ("platform", None)
    assert said.text.startswith("lambdash: 15 more lines were not kept")


async def test_a_flood_of_long_lines_is_bounded(
    writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JOURNAL_MAX_PENDING_CHARS", 25)
    for _ in range(3):
        writer.add_line((*LINE[:5], "x" * 10))
    lines = await writer.read(lambda journal: journal.log_lines(100))
    assert [len(line.text) for line in lines[:2]] == [10, 10]
    assert lines[2].text.startswith("lambdash: 1 more lines were not kept")
    writer.add_line(LINE)
    (line,) = await writer.read(lambda journal: journal.log_lines(1))
    assert line.text == "x", "the next batch has its own room"


async def test_a_write_that_fails_is_known_and_costs_nobody_else(
    writer: JournalWriter, journal: Counting
) -> None:
    journal.error = PlatformError("disk-full", "no space")
    writer.add(finished("a"))
    await writer.read(lambda journal: None)
    assert writer.failed is journal.error
    journal.error = None
    writer.add(finished("b"))
    entries = await writer.read(lambda journal: journal.recent(10))
    assert [entry.request_id for entry in entries] == ["b"]
    assert writer.failed is None


async def test_a_long_enough_beginning_of_an_id_is_as_good(writer: JournalWriter) -> None:
    ids = ["f54b225b-f2a9", "f54b225b-0000", "f54b2200"]
    for request_id in ids:
        writer.add(finished(request_id))

    async def found(given: str) -> str | None:
        entry = await writer.read(lambda journal: journal.entry(given))
        return None if entry is None else entry.request_id

    assert await found("f54b225b") == ids[1], "the newest"
    assert [await found(request_id) for request_id in ids] == ids
    assert await found("f54b225") is None
    assert await found("54b225b-f2a9") is None


async def test_closing_writes_the_rest(tmp_path: Path) -> None:
    writer = JournalWriter(Journal(tmp_path / "other.sqlite"))
    writer.add(finished("a"))
    await writer.close()
    journal = Journal(tmp_path / "other.sqlite")
    assert journal.entry("a") is not None
    journal.close()


async def test_what_comes_while_it_closes_or_later_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox that is being removed can print until it is gone."""
    counting = Counting(tmp_path / "closing.sqlite")
    writer = JournalWriter(counting)
    writer.add(finished("a"))
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)
    writer.add_line(LINE)
    await closing
    complaints: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    monkeypatch.setattr("lambdash.emulator.journal._FLUSH_AFTER_S", 0.0)
    writer.add(finished("b"))
    writer.add_line(LINE)
    writer.add_stream(("hello", "s", 1.0, "e", "v"))
    later = asyncio.Event()
    loop.call_later(0.01, later.set)
    await later.wait()
    assert counting.batches == [(1, 0)]
    assert complaints == []
