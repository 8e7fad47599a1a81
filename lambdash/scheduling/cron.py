"""AWS's cron expressions as points in time.

Sources of behaviour: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
and, for time zones, https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
(*Daylight savings time*): a wall-clock time that the clocks skip is skipped, one that they repeat
runs once.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

SATURDAY = 7


class Days(Protocol):
    """Which days of a month a day field means."""

    def of(self, year: int, month: int) -> list[int]:
        """The days, sorted."""


def _last(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def weekday(year: int, month: int, day: int) -> int:
    """AWS's number of the day of the week: 1 is Sunday."""
    return date(year, month, day).isoweekday() % 7 + 1


@dataclass(frozen=True, slots=True)
class DaysOfMonth:
    """``1-5,15``: those of the days that the month has."""

    days: tuple[int, ...]

    def of(self, year: int, month: int) -> list[int]:
        last = _last(year, month)
        return [day for day in self.days if day <= last]


@dataclass(frozen=True, slots=True)
class LastDay:
    """``L`` in day-of-month."""

    def of(self, year: int, month: int) -> list[int]:
        return [_last(year, month)]


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """``15W``, ``LW`` (day None): the Monday to Friday nearest to a day, within the month."""

    day: int | None

    def of(self, year: int, month: int) -> list[int]:
        last = _last(year, month)
        day = last if self.day is None else self.day
        if day > last:
            return []
        on = weekday(year, month, day)
        if on == SATURDAY:
            return [day - 1 if day > 1 else day + 2]
        if on == 1:
            return [day + 1 if day < last else day - 2]
        return [day]


@dataclass(frozen=True, slots=True)
class DaysOfWeek:
    """``MON-FRI``: every such day."""

    weekdays: frozenset[int]

    def of(self, year: int, month: int) -> list[int]:
        days = range(1, _last(year, month) + 1)
        return [day for day in days if weekday(year, month, day) in self.weekdays]


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """``3#2`` (the second Tuesday), ``3L`` (the last, ``nth`` None)."""

    weekday: int
    nth: int | None

    def of(self, year: int, month: int) -> list[int]:
        found = DaysOfWeek(frozenset((self.weekday,))).of(year, month)
        if self.nth is None:
            return found[-1:]
        return found[self.nth - 1 : self.nth]


@dataclass(frozen=True, slots=True)
class Cron:
    """The six fields, each as the sorted values it stands for, in the wall-clock time of a zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    years: tuple[int, ...]
    zone: tzinfo

    def next_after(self, now: datetime) -> datetime | None:
        """The first point later than ``now``, in UTC; None if no year has one any more."""
        for wall in self._walls_from(now.astimezone(self.zone).replace(tzinfo=None)):
            due = wall.replace(tzinfo=self.zone).astimezone(UTC)
            skipped = due.astimezone(self.zone).replace(tzinfo=None) != wall
            if due > now and not skipped:
                return due
        return None

    def _walls_from(self, start: datetime) -> Iterator[datetime]:
        """Wall-clock times later than ``start``, in order."""
        for day in self._dates_from(start.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    wall = datetime(day.year, day.month, day.day, hour, minute)
                    if wall > start:
                        yield wall

    def _dates_from(self, start: date) -> Iterator[date]:
        first = start - timedelta(days=start.day - 1)
        for year in self.years:
            for month in self.months:
                if date(year, month, 1) >= first:
                    for day in self.days.of(year, month):
                        if (found := date(year, month, day)) >= start:
                            yield found
