"""The fields of a cron expression: numbers, names, ranges, steps and the wildcards of AWS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdash import limits
from lambdash.scheduling.cron import (
    SATURDAY,
    Days,
    DaysOfMonth,
    DaysOfWeek,
    LastDay,
    NearestWeekday,
    NthWeekday,
)


class FieldProblem(ValueError):
    """What is wrong with one field, in a few words."""


@dataclass(frozen=True, slots=True)
class FieldGrammar:
    """A field's name, its bounds, the names of its values, and whether a range may wrap round."""

    name: str
    first: int
    last: int
    names: Mapping[str, int] = field(default_factory=dict)
    wraps: bool = True


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MINUTES = FieldGrammar("minutes", 0, 59)
HOURS = FieldGrammar("hours", 0, 23)
DAY_OF_MONTH = FieldGrammar("day-of-month", 1, 31)
MONTH = FieldGrammar("month", 1, 12, {name: 1 + at for at, name in enumerate(_MONTHS)})
DAY_OF_WEEK = FieldGrammar("day-of-week", 1, 7, {name: 1 + at for at, name in enumerate(_WEEKDAYS)})
YEAR = FieldGrammar("year", limits.SCHEDULE_FIRST_YEAR, limits.SCHEDULE_LAST_YEAR, wraps=False)

_TERM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([0-9]+))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


def read_values(text: str, grammar: FieldGrammar) -> tuple[int, ...]:
    """The sorted values of a list of values, ranges and steps. Raises ``FieldProblem``."""
    values: set[int] = set()
    for term in text.split(","):
        values.update(_read_term(term, grammar))
    return tuple(sorted(values))


def _read_term(term: str, grammar: FieldGrammar) -> list[int]:
    matched = _TERM.fullmatch(term)
    if matched is None:
        raise FieldProblem(f"`{term}` is no value of {grammar.name}")
    begin, end, step = matched.groups()
    first = grammar.first if begin is None else _read_value(begin, grammar)
    if end is not None:
        last = _read_value(end, grammar)
    else:
        last = first if begin is not None and step is None else grammar.last
    return _span(first, last, grammar)[:: _read_step(step, grammar)]


def _span(first: int, last: int, grammar: FieldGrammar) -> list[int]:
    if first <= last:
        return list(range(first, last + 1))
    if not grammar.wraps:
        raise FieldProblem(f"the range {first}-{last} of {grammar.name} runs backwards")
    return [*range(first, grammar.last + 1), *range(grammar.first, last + 1)]


def _read_step(step: str | None, grammar: FieldGrammar) -> int:
    if step is None:
        return 1
    if not _NUMBER.fullmatch(step) or not 1 <= int(step) <= grammar.last:
        raise FieldProblem(f"the step {step} of {grammar.name} is not in 1-{grammar.last}")
    return int(step)


def _read_value(text: str, grammar: FieldGrammar) -> int:
    value = grammar.names.get(text)
    if value is None and _NUMBER.fullmatch(text):
        value = int(text)
    if value is None or not grammar.first <= value <= grammar.last:
        raise FieldProblem(f"`{text}` is not in {grammar.first}-{grammar.last} of {grammar.name}")
    return value


def read_days(of_month: str, of_week: str) -> Days:
    """The two day fields, of which exactly one is ``?``. Raises ``FieldProblem``."""
    if (of_month == "?") == (of_week == "?"):
        raise FieldProblem("exactly one of day-of-month and day-of-week must be ?")
    return _read_day_of_month(of_month) if of_week == "?" else _read_day_of_week(of_week)


def _read_day_of_month(text: str) -> Days:
    if text == "L":
        return LastDay()
    if text == "LW":
        return NearestWeekday(None)
    if text.endswith("W"):
        return NearestWeekday(_read_value(text.removesuffix("W"), DAY_OF_MONTH))
    return DaysOfMonth(read_values(text, DAY_OF_MONTH))


def _read_day_of_week(text: str) -> Days:
    if text == "L":
        return DaysOfWeek(frozenset((SATURDAY,)))
    if text.endswith("L"):
        return NthWeekday(_read_value(text.removesuffix("L"), DAY_OF_WEEK), None)
    on, sharp, nth = text.partition("#")
    if sharp:
        if nth not in ("1", "2", "3", "4", "5"):
            raise FieldProblem(f"`{nth}` is not in 1-5 after # of day-of-week")
        return NthWeekday(_read_value(on, DAY_OF_WEEK), int(nth))
    return DaysOfWeek(frozenset(read_values(text, DAY_OF_WEEK)))
