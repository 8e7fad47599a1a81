"""When expressions are due: AWS's examples, the awkward days, and the clocks' changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash.scheduling import Rate, Schedule, parse_schedule
from lambdash.scheduling.cron import Cron, DaysOfWeek, weekday

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def occurrences(schedule: Schedule, start: datetime) -> list[str]:
    """The next three, as they are written."""

    def following(now: datetime) -> Iterator[str]:
        while (due := schedule.next_after(now)) is not None:
            yield due.strftime("%Y-%m-%d %H:%M")
            now = due

    return list(islice(following(start), 3))


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ("0 10 * * ? *", ["2026-01-01 10:00", "2026-01-02 10:00", "2026-01-03 10:00"]),
        ("15 12 * * ? *", ["2026-01-01 12:15", "2026-01-02 12:15", "2026-01-03 12:15"]),
        ("0 18 ? * MON-FRI *", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("0 8 1 * ? *", ["2026-01-01 08:00", "2026-02-01 08:00", "2026-03-01 08:00"]),
        ("0/15 * * * ? *", ["2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45"]),
        ("*/25 0 * * ? *", ["2026-01-01 00:25", "2026-01-01 00:50", "2026-01-02 00:00"]),
        ("5/20 0 * * ? *", ["2026-01-01 00:05", "2026-01-01 00:25", "2026-01-01 00:45"]),
        ("0-10/5 0 * * ? *", ["2026-01-01 00:05", "2026-01-01 00:10", "2026-01-02 00:00"]),
        ("0 0-4/2,9 * * ? *", ["2026-01-01 02:00", "2026-01-01 04:00", "2026-01-01 09:00"]),
        ("0 22-1 * * ? *", ["2026-01-01 01:00", "2026-01-01 22:00", "2026-01-01 23:00"]),
        ("0 0 ? * FRI-MON *", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
        ("0 0 L * ? *", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 LW * ? *", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
        ("0 0 15W * ? *", ["2026-01-15 00:00", "2026-02-16 00:00", "2026-03-16 00:00"]),
        ("0 0 14W 2,3 ? *", ["2026-02-13 00:00", "2026-03-13 00:00", "2027-02-15 00:00"]),
        ("0 0 1W 8,11 ? *", ["2026-08-03 00:00", "2026-11-02 00:00", "2027-08-02 00:00"]),
        ("0 0 31W 5,6 ? *", ["2026-05-29 00:00", "2027-05-31 00:00", "2028-05-31 00:00"]),
        ("0 0 31 * ? *", ["2026-01-31 00:00", "2026-03-31 00:00", "2026-05-31 00:00"]),
        ("0 0 29 2 ? *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 ? * 3#2 *", ["2026-01-13 00:00", "2026-02-10 00:00", "2026-03-10 00:00"]),
        ("0 0 ? * SAT#5 *", ["2026-01-31 00:00", "2026-05-30 00:00", "2026-08-29 00:00"]),
        ("0 0 ? * 6L *", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-27 00:00"]),
        ("0 0 ? * L *", ["2026-01-03 00:00", "2026-01-10 00:00", "2026-01-17 00:00"]),
        ("0 0 1 1 ? 2027,2199", ["2027-01-01 00:00", "2199-01-01 00:00"]),
        ("0 0 1 1 ? 2026", []),
        ("0 0 30 2 ? *", []),
    ],
)
def test_cron(fields: str, due: list[str]) -> None:
    now = at("2026-01-01T00:00")
    assert occurrences(parse_schedule(f"cron({fields})", anchor=now), now) == due


def test_what_is_due_now_was_due() -> None:
    hourly = parse_schedule("cron(0 * * * ? *)", anchor=at("2026-01-01"))
    assert occurrences(hourly, at("2026-01-01T00:59:59"))[0] == "2026-01-01 01:00"
    assert occurrences(hourly, at("2026-01-01T01:00:00"))[0] == "2026-01-01 02:00"
    assert occurrences(hourly, at("2026-01-01T01:00:00.5"))[0] == "2026-01-01 02:00"


def test_a_wall_clock_time_that_the_clocks_skip_is_skipped() -> None:
    nightly = parse_schedule("cron(30 2 * * ? *)", anchor=at("2026-01-01"), zone=BERLIN)
    assert occurrences(nightly, at("2026-03-28T00:00")) == [
        "2026-03-28 01:30",
        "2026-03-30 00:30",
        "2026-03-31 00:30",
    ]


def test_a_wall_clock_time_that_the_clocks_repeat_runs_once() -> None:
    nightly = parse_schedule("cron(30 2 * * ? *)", anchor=at("2026-01-01"), zone=BERLIN)
    assert occurrences(nightly, at("2026-10-24T12:00")) == [
        "2026-10-25 00:30",
        "2026-10-26 01:30",
        "2026-10-27 01:30",
    ]
    quarter = parse_schedule("cron(0/15 * * * ? *)", anchor=at("2026-01-01"), zone=BERLIN)
    # from within the repeated hour: 02:10 for the second time
    assert occurrences(quarter, at("2026-10-25T01:10"))[0] == "2026-10-25 02:00"


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-01T00:00", "2026-01-01 12:00"),
        ("2026-01-01T12:00", "2026-01-01 12:05"),
        ("2026-01-01T12:04:59.9", "2026-01-01 12:05"),
        ("2026-01-03T12:02", "2026-01-03 12:05"),
    ],
)
def test_a_rate_counts_from_its_anchor(now: str, due: str) -> None:
    rate = parse_schedule("rate(5 minutes)", anchor=at("2026-01-01T12:00"))
    assert occurrences(rate, at(now))[0] == due


def test_a_rate_beyond_the_calendar_has_no_next() -> None:
    rate = parse_schedule("rate(999999999 days)", anchor=at("2026-01-01"))
    assert rate.next_after(at("2026-01-02")) is None
    assert Rate(timedelta(days=400), at("9999-01-01")).next_after(at("9999-06-01")) is None


_MINUTES = st.sets(st.integers(0, 59), min_size=1, max_size=3)
_HOURS = st.sets(st.integers(0, 23), min_size=1, max_size=4)
_WEEKDAYS = st.sets(st.integers(1, 7), min_size=3)


@settings(max_examples=60, deadline=None)
@given(
    minutes=_MINUTES,
    hours=_HOURS,
    weekdays=_WEEKDAYS,
    start=st.sampled_from(["2026-03-27", "2026-10-23", "2026-12-30"]),
    offset=st.integers(0, 3 * 24 * 60),
)
def test_cron_agrees_with_counting_minutes(
    minutes: set[int], hours: set[int], weekdays: set[int], start: str, offset: int
) -> None:
    cron = Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        DaysOfWeek(frozenset(weekdays)),
        tuple(range(1, 13)),
        tuple(range(2026, 2028)),
        BERLIN,
    )
    now = at(start) + timedelta(minutes=offset)
    minute = now
    while True:
        minute += timedelta(minutes=1)
        wall = minute.astimezone(BERLIN)
        on = weekday(wall.year, wall.month, wall.day)
        if wall.fold == 0 and wall.minute in minutes and wall.hour in hours and on in weekdays:
            break
    assert cron.next_after(now) == minute
