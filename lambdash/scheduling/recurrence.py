"""``rate(...)`` and ``at(...)``, and what every schedule answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Schedule(Protocol):
    """Points in time."""

    def next_after(self, now: datetime) -> datetime | None:
        """The first point later than ``now`` (aware), in UTC; None if there is none any more."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every ``period`` since ``anchor`` (aware): elapsed time, so that no time zone shifts it."""

    period: timedelta
    anchor: datetime

    def next_after(self, now: datetime) -> datetime | None:
        if now < self.anchor:
            return self.anchor.astimezone(UTC)
        try:
            passed = (now - self.anchor) // self.period
            return (self.anchor + (passed + 1) * self.period).astimezone(UTC)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class At:
    """Once, at the wall-clock time ``moment`` of ``zone``.

    Where the clocks skip it, it is taken by the offset before they do; where they repeat it, the
    first counts.
    """

    moment: datetime
    zone: tzinfo

    def next_after(self, now: datetime) -> datetime | None:
        due = self.moment.replace(tzinfo=self.zone).astimezone(UTC)
        return due if due > now else None
