from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lambdash.scheduling import At, Cron, Dialect, InvalidSchedule, Rate, parse_schedule

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(12 hours)", timedelta(hours=12)),
        ("rate(1 day)", timedelta(days=1)),
        ("rate(7 days)", timedelta(days=7)),
    ],
)
def test_rates(text: str, period: timedelta) -> None:
    assert parse_schedule(text, anchor=START) == Rate(period, START)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(1 days)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1.5 hours)",
        "rate(10 seconds)",
        "rate(1 week)",
        "rate(5minutes)",
        "rate( 5 minutes)",
        "rate(5 minutes",
        "rate(9999999999 days)",
        "RATE(5 minutes)",
        " rate(5 minutes)",
        "at(2030-01-01T00:00:00)",
        "cron()",
        "cron(0 12 * * ?)",
        "cron(0 12 * * ? * *)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 12 0 * ? *)",
        "cron(0 12 32 * ? *)",
        "cron(0 12 * 13 ? *)",
        "cron(0 12 * FOO ? *)",
        "cron(0 12 ? * 8 *)",
        "cron(0 12 ? * 0 *)",
        "cron(0 12 ? * MONDAY *)",
        "cron(0 12 * * ? 1969)",
        "cron(0 12 * * ? 2200)",
        "cron(0 12 * * ? 2030-2020)",
        "cron(? 12 * * ? *)",
        "cron(0/0 12 * * ? *)",
        "cron(0/60 12 * * ? *)",
        "cron(0/12345 12 * * ? *)",
        "cron(0, 12 * * ? *)",
        "cron(-5 12 * * ? *)",
        "cron(0 12 ? * 3#6 *)",
        "cron(0 12 ? * 3# *)",
        "cron(0 12 ? * 3#1,6#3 *)",
        "cron(0 12 ? * XL *)",
        "cron(0 12 L,15 * ? *)",
        "cron(0 12 W * ? *)",
        "cron(0 12 1-15W * ? *)",
        "cron(12345 12 * * ? *)",
        f"cron(0 {','.join(['12'] * 100)} * * ? *)",
    ],
)
def test_what_a_rule_refuses(text: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        parse_schedule(text, anchor=START)
    assert caught.value.message == "Parameter ScheduleExpression is not valid."
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "at(2030-01-01)",
        "at(2030-02-30T00:00:00)",
        "at(2030-01-01T00:00:00Z)",
        "at(1969-01-01T00:00:00)",
        "rate(1 minutes)",
    ],
)
def test_what_a_schedule_refuses(text: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        parse_schedule(text, anchor=START, dialect=Dialect.SCHEDULER)
    assert caught.value.message == f"Invalid Schedule Expression {text}."


def test_schedules_have_times_and_zones() -> None:
    once = parse_schedule(
        "at(2030-07-01T09:30:00)", anchor=START, zone=BERLIN, dialect=Dialect.SCHEDULER
    )
    assert isinstance(once, At)
    due = datetime(2030, 7, 1, 7, 30, tzinfo=UTC)
    assert once.next_after(START) == due
    assert once.next_after(due) is None


def test_names_are_read_in_any_case() -> None:
    lower = parse_schedule("cron(0 12 ? jan-mar mon-fri *)", anchor=START)
    assert lower == parse_schedule("cron(0 12 ? 1-3 2-6 *)", anchor=START)
    assert isinstance(lower, Cron)
