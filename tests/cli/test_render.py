"""Renderers, where the commands' own golden files do not reach."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash import limits
from lambdash.cli import progress
from lambdash.cli.render.deployment import deployment_text
from lambdash.cli.render.doctor import doctor_text
from lambdash.cli.render.history import history_table
from lambdash.cli.render.invocation import timing_line
from lambdash.cli.render.stopped import stopped_line
from lambdash.cli.render.stream import stream_line
from lambdash.cli.render.table import age, clock_time, milliseconds, size, table
from lambdash.cli.render.trace import imports_table, waterfall
from tests.cli import golden

_MS = st.floats(min_value=0, max_value=100_000)


@given(launch=_MS, init=_MS, duration=_MS, overhead=_MS, queue=_MS)
def test_the_parts_of_a_cold_start_add_up(
    launch: float, init: float, duration: float, overhead: float, queue: float
) -> None:
    parts = {"launch": launch, "init": init, "duration": duration, "queue": queue}
    total = sum(parts.values()) + overhead
    line = timing_line({"start": "cold", "timings_ms": {"total": total, **parts}})
    whole, *numbers = [int(word) for word in re.findall(r"\b\d+\b", line)]
    assert abs(whole - sum(numbers)) <= len(parts)


def test_a_wait_in_the_queue_is_shown_when_it_was_one() -> None:
    def line(queue: float) -> str:
        timings = {"total": 9.0, "queue": queue, "duration": 2.0, "overhead": 0.4}
        return timing_line({"start": "warm", "timings_ms": timings})

    assert line(0.3) == "warm  duration 2.0 ms  overhead 0.7 ms"
    assert line(6.6) == "warm  queue 6.6 ms  duration 2.0 ms  overhead 0.4 ms"


def test_a_parked_start_has_no_launch() -> None:
    timings = {"total": 70.0, "init": 61.0, "duration": 8.2, "overhead": 0.8}
    line = timing_line({"start": "parked", "timings_ms": timings})
    assert line == "parked  total 70 ms = init 61 + duration 8 + other 1"


def test_an_invocation_that_no_environment_served_has_no_label() -> None:
    timings = {"total": 312.4, "package": 120.0, "overhead": 192.4}
    line = timing_line({"start": None, "timings_ms": timings})
    assert line == "total 312 ms = package 120 + other 192"


@pytest.mark.parametrize(
    ("stopped", "line"),
    [
        (None, "no daemon was running"),
        ({}, "stopped"),
        ({"containers": 0, "processes": 0}, "stopped"),
        ({"containers": 1, "processes": 1}, "stopped: removed 1 container, 1 process"),
        (
            {"networks": 0, "networks_kept": 1},
            "stopped; 1 network could not be removed, which is tried again at the next start or"
            " stop",
        ),
        (
            {"containers": 2, "networks_kept": 2},
            "stopped: removed 2 containers; 2 networks could not be removed, which is tried again"
            " at the next start or stop",
        ),
        ({"networks": 2, "processes": 3}, "stopped: removed 2 networks, 3 processes"),
    ],
)
def test_what_stop_says(stopped: dict[str, int] | None, line: str) -> None:
    assert stopped_line(stopped) == line


def test_quantities() -> None:
    assert [milliseconds(value) for value in (None, 0.04, 9.94, 212.3, 1840.2)] == [
        *("-", "0.0 ms", "9.9 ms", "212 ms", "1.84 s")
    ]
    assert [age(value) for value in (None, 3, 61, 7_300, 200_000)] == [
        *("-", "3 s", "1 min", "2 h", "2 d")
    ]
    assert [size(value) for value in (None, 812, 3_400_000, 7_200_000_000)] == [
        *("-", "812 B", "3.4 MB", "7.2 GB")
    ]


def test_a_table_fits_its_width() -> None:
    text = table(("A", "TEXT"), [("x", "word " * 40)], width=40)
    assert max(len(line) for line in text.splitlines()) == 40
    assert text.endswith("…")


@given(
    total=st.floats(min_value=0, max_value=1e6),
    start=st.floats(min_value=-5, max_value=1e6),
    length=st.floats(min_value=0, max_value=1e6),
)
def test_a_bar_never_leaves_its_frame(total: float, start: float, length: float) -> None:
    phase = {"name": "init", "start_ms": start, "length_ms": length}
    bar = waterfall([phase], total, 0.0).splitlines()[0].partition("|")[2]
    assert len(bar) == 41
    assert bar.endswith("|")


def test_imports_that_were_not_measured_are_said_so() -> None:
    assert "--cold --imports" in imports_table(None)
    many = [{"module": f"m{n}", "self_us": n, "cumulative_us": n} for n in range(30)]
    assert imports_table(many).endswith("and 10 more")


def test_history_shows_as_much_of_an_id_as_trace_needs() -> None:
    request_id = "f54b225b-f2a9-4819-b8b1-54d391a3c00d"
    text = history_table([{"request_id": request_id, "at": "2026-11-23T14:31:30+00:00"}])
    shown = text.splitlines()[1].split()[-2]
    assert request_id.startswith(shown)
    assert len(shown) == limits.REQUEST_ID_PREFIX_MIN_CHARS


def test_a_time_that_is_none() -> None:
    assert clock_time(None) == clock_time("") == "-"


def test_nothing_to_deploy() -> None:
    assert deployment_text({"plan": [], "functions": []}) == "nothing to deploy"


def test_doctor() -> None:
    checks = [
        {"name": "python", "state": "ok", "found": "3.13.1", "hint": ""},
        {"name": "docker", "state": "fail", "found": "refuses", "hint": "join the group"},
        {
            "name": "store",
            "state": "warn",
            "found": f"{'/a-long-path' * 8} is on a network file system",
            "hint": "many words of advice, " * 6,
        },
    ]
    golden.check("render/doctor", doctor_text(checks) + "\n")


def test_progress_as_bars_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        progress.count_text({"done": 3_100_000, "total": 12e6, "unit": "bytes"}) == "3.1 / 12.0 MB"
    )
    assert progress.count_text({"done": 4, "total": 9, "unit": "files"}) == "4 / 9 files"
    assert progress.count_text({"done": None}) == ""
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    bars = progress.Bars(colour=False)
    bars.show({"task": "hello [x]", "text": "pulling", "done": 1, "total": 3, "unit": "layers"})
    bars.show({"task": "hello [x]", "text": "pulled", "finished": True})
    bars.say("deployed [hello]")
    bars.close()
    assert "hello [x]: pulled" in screen.getvalue()
    assert "deployed [hello]" in screen.getvalue()


def test_a_log_in_colour_has_one_for_each_function() -> None:
    event = {"event": "log", "at": "2026-11-23T14:31:30.693+00:00", "text": "a\nb\t"}
    plain = stream_line({**event, "function": "one"})
    assert plain == f"{clock_time(event['at'])}  one  a\n    b"
    lines = {name: stream_line({**event, "function": name}, colour=True) for name in ("one", "two")}
    found = {name: re.findall(r"\x1b\[(\d+)m", line or "") for name, line in lines.items()}
    assert found["one"][2] != found["two"][2]
    platform = stream_line({**event, "function": "one", "stream": "platform"}, colour=True)
    assert (platform or "").endswith("\x1b[2ma\n    b\x1b[0m")
