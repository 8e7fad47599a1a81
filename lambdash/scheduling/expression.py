"""Schedule expressions: ``cron(...)``, ``rate(...)`` and, for EventBridge Scheduler, ``at()``."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum

from lambdash import limits
from lambdash.scheduling.cron import Cron
from lambdash.scheduling.fields import (
    HOURS,
    MINUTES,
    MONTH,
    YEAR,
    FieldProblem,
    read_days,
    read_values,
)
from lambdash.scheduling.problems import InvalidSchedule
from lambdash.scheduling.recurrence import At, Rate, Schedule


class Dialect(Enum):
    """Whose expression it is: rules know no ``at``, and each service has its own complaint."""

    RULES = "rules"
    SCHEDULER = "scheduler"


_CALL = re.compile(r"(cron|rate|at)\((.*)\)", re.DOTALL)
_RATE = re.compile(r"([0-9]{1,9})\s+(minute|hour|day)(s?)", re.ASCII)
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


def parse_schedule(
    text: str, *, anchor: datetime, zone: tzinfo = UTC, dialect: Dialect = Dialect.RULES
) -> Schedule:
    """Read an expression.

    ``anchor`` (aware) is the moment a rate counts from: the rule's creation, or the schedule's
    start. ``zone`` is what cron and at are told in. Raises ``InvalidSchedule``.
    """
    try:
        return _parse(text, anchor, zone, dialect)
    except FieldProblem as problem:
        raise InvalidSchedule(
            "Parameter ScheduleExpression is not valid."
            if dialect is Dialect.RULES
            else f"Invalid Schedule Expression {text[: limits.SCHEDULE_EXPRESSION_MAX_CHARS]}.",
            str(problem),
        ) from None


def _parse(text: str, anchor: datetime, zone: tzinfo, dialect: Dialect) -> Schedule:
    matched = _CALL.fullmatch(text)
    if matched is None or len(text) > limits.SCHEDULE_EXPRESSION_MAX_CHARS:
        raise FieldProblem("it is neither cron(...) nor rate(...) nor at(...)")
    kind, inside = matched.groups()
    if kind == "cron":
        return _parse_cron(inside, zone)
    if kind == "rate":
        return Rate(_parse_period(inside), anchor)
    if dialect is Dialect.RULES:
        raise FieldProblem("at(...) is for schedules, rules take cron(...) and rate(...)")
    return At(_parse_moment(inside), zone)


def _parse_cron(text: str, zone: tzinfo) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise FieldProblem(f"cron takes 6 fields, here are {len(fields)}")
    minutes, hours, of_month, months, of_week, years = fields
    return Cron(
        minutes=read_values(minutes, MINUTES),
        hours=read_values(hours, HOURS),
        days=read_days(of_month, of_week),
        months=read_values(months, MONTH),
        years=read_values(years, YEAR),
        zone=zone,
    )


def _parse_period(text: str) -> timedelta:
    matched = _RATE.fullmatch(text)
    if matched is None or int(matched[1]) == 0:
        raise FieldProblem("rate takes a positive number and minutes, hours or days")
    amount, unit, plural = int(matched[1]), matched[2], bool(matched[3])
    if plural == (amount == 1):
        raise FieldProblem(f"with {amount} it is {unit if amount == 1 else unit + 's'}")
    return timedelta(**{f"{unit}s": amount})


def _parse_moment(text: str) -> datetime:
    try:
        if not _AT.fullmatch(text):
            raise FieldProblem("at takes yyyy-mm-ddThh:mm:ss")
        moment = datetime.fromisoformat(text)
        read_values(str(moment.year), YEAR)
        return moment
    except ValueError as problem:
        raise FieldProblem(str(problem)) from None
