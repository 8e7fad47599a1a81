"""Output becomes whole lines of the right invocation, within bounds, however it is cut."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash import limits
from lambdash.emulator.log_stream import LogStream, open_stream
from lambdash.emulator.logs import LogCapture, LogHub
from lambdash.emulator.variables import Place
from lambdash.model import FunctionConfiguration, LoggingConfig, Revision, ZipPackage
from lambdash.pool import Launch
from lambdash.storage.journal import LogRow


def opened(**logging: str) -> LogStream:
    configuration = FunctionConfiguration(
        "hello", "python3.13", "app.handler", logging=LoggingConfig(**logging)
    )
    now = datetime(2026, 1, 31, tzinfo=UTC)
    return open_stream(
        Launch("e1", "f", "r1", None), Revision(configuration, ZipPackage("d", 1)), Place(), now
    )


def capture(into: list[LogRow], **logging: str) -> LogCapture:
    return LogCapture(opened(**logging), into.append, lambda: 1.5)


def texts(rows: list[LogRow], stream: str = "stdout") -> list[str]:
    return [row[5] for row in rows if row[4] == stream]


TEXT = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(TEXT, min_size=1), st.data())
def test_lines_do_not_depend_on_how_they_arrive(lines: list[str], data: st.DataObject) -> None:
    content = "\n".join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)))))
    rows: list[LogRow] = []
    logs = capture(rows)
    logs.begin("r1")
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        logs.feed("stdout", content[start:end])
    logs.end()
    expected = lines if lines[-1] else lines[:-1]
    assert texts(rows) == expected
    assert {row[3] for row in rows} <= {"r1"}
    assert logs.tail() == content[-limits.LOG_TAIL_MAX_BYTES :]


SPOKEN = st.tuples(st.sampled_from(["stdout", "stderr"]), st.sampled_from(["a\n", "b", "c\nd"]))


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "feed"]), SPOKEN)))
def test_every_byte_is_whoevers_turn_it_was(steps: list[tuple[str, tuple[str, str]]]) -> None:
    """A model: per stream and turn, what was said in it."""
    rows: list[LogRow] = []
    logs = capture(rows)
    owner: str | None = None
    said: dict[tuple[str | None, str], str] = {}
    turn = 0
    for step, (stream, text) in steps:
        if step == "begin":
            turn += 1
            owner = f"r{turn}"
            logs.begin(owner)
        elif step == "end":
            owner = None
            logs.end()
        else:
            said[owner, stream] = said.get((owner, stream), "") + text
            logs.feed(stream, text.encode())
    logs.end()
    for (who, stream), text in said.items():
        found = "".join(row[5] for row in rows if (row[3], row[4]) == (who, stream))
        assert found == text.replace("\n", "")


def test_the_rest_of_init_is_not_the_invocations() -> None:
    rows: list[LogRow] = []
    logs = capture(rows)
    logs.feed("stdout", b"loading")
    logs.begin("r1")
    logs.feed("stdout", b"serving\n")
    assert [(row[3], row[5]) for row in rows] == [(None, "loading"), ("r1", "serving")]


def test_streams_are_not_mixed() -> None:
    rows: list[LogRow] = []
    logs = capture(rows)
    logs.feed("stdout", b"on")
    logs.feed("stderr", b"bad\n")
    logs.feed("stdout", b"e\r\n")
    assert (texts(rows), texts(rows, "stderr")) == (["one"], ["bad"])


def test_what_is_not_utf8_is_shown() -> None:
    rows: list[LogRow] = []
    capture(rows).feed("stdout", b"a\xffb\n")
    assert texts(rows) == ["a\ufffdb"]


def test_a_line_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_LINE_MAX_BYTES", 10)
    rows: list[LogRow] = []
    logs = capture(rows)
    logs.feed("stdout", b"x" * 25)
    logs.end()
    assert [len(text) for text in texts(rows)] == [10, 10, 5]


def test_past_the_bound_only_a_count_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_KEPT_PER_INVOCATION_MAX_BYTES", 10)
    rows: list[LogRow] = []
    logs = capture(rows)
    logs.begin("r1")
    for _ in range(10):
        logs.feed("stdout", b"1234\n")
    assert logs.tail() == b"1234\n" * 10, "the tail is of all that was said"
    logs.end()
    assert texts(rows) == ["1234", "1234"]
    assert texts(rows, "platform") == ["lambdash: 40 more bytes of output were not kept"]
    logs.begin("r2")
    logs.feed("stdout", b"again\n")
    assert texts(rows)[-1] == "again", "the next invocation has its own room"


def test_a_follower_sees_lines_until_it_leaves() -> None:
    journal: list[LogRow] = []
    followed: list[LogRow] = []
    hub = LogHub(journal.append)
    row: LogRow = (1.0, "hello", "e1", None, "stdout", "x")
    unfollow = hub.follow(followed.append)
    hub.publish(row)
    unfollow()
    hub.publish(row)
    assert (len(journal), len(followed)) == (2, 1)


def test_a_follower_may_leave_while_it_is_told() -> None:
    hub = LogHub(lambda row: None)
    told: list[str] = []
    leave = hub.follow(lambda row: (told.append("first"), leave())[0])
    hub.follow(lambda row: told.append("second"))
    for _ in range(2):
        hub.publish((1.0, "hello", "e1", None, "stdout", "x"))
    assert told == ["first", "second", "second"]
