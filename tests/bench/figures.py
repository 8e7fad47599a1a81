"""What the benchmarks report: medians with their spread, side by side, against a target."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """``kind`` says what is bounded: the ratio ours/theirs, or our own median."""

    kind: str
    at_most: float = math.inf
    at_least: float = -math.inf

    def holds(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return self.at_least <= value <= self.at_most

    def __str__(self) -> str:
        bound = f">= {self.at_least:g}" if self.at_least > -math.inf else f"<= {self.at_most:g}"
        return f"ratio {bound}" if self.kind == "ratio" else bound


def ratio(*, at_most: float = math.inf, at_least: float = -math.inf) -> Target:
    """A bound of ours divided by theirs."""
    return Target("ratio", at_most, at_least)


def own(*, at_most: float = math.inf, at_least: float = -math.inf) -> Target:
    """A bound of our own figure, in its unit."""
    return Target("own", at_most, at_least)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``ours`` and ``theirs`` hold one value a round, in the same order."""

    name: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians."""
        if not self.ours or not self.theirs:
            return None
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def ratio_spread(self) -> tuple[float, float] | None:
        """The smallest and the largest ratio of any one round."""
        pairs = [a / b for a, b in zip(self.ours, self.theirs, strict=False) if b]
        return (min(pairs), max(pairs)) if pairs else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        value = self.ratio if self.target.kind == "ratio" else statistics.median(self.ours)
        return value is not None and self.target.holds(value)

    def document(self) -> dict[str, Any]:
        """The figure as JSON, every value included."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": list(self.ours),
            "peer": self.peer or None,
            "theirs": list(self.theirs),
            "ratio": self.ratio,
            "ratio_spread": self.ratio_spread,
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "note": self.note,
        }


@dataclass(slots=True)
class Rounds:
    """Values of an interleaved run, collected by side."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, value: float) -> None:
        """One more value of a side."""
        self.values.setdefault(side, []).append(value)

    def __getitem__(self, side: str) -> list[float]:
        return self.values.get(side, [])


def interleave(repeat: int, sides: dict[str, Callable[[], float]]) -> Rounds:
    """Measure A B A B ...; who goes first alternates, so that neither always has warm caches."""
    rounds = Rounds()
    for number in range(repeat):
        order = list(sides.items())
        for side, measure in order if number % 2 == 0 else reversed(order):
            rounds.add(side, measure())
    return rounds


def table(figures: Sequence[Figure]) -> str:
    """Figures as aligned text."""
    rows = [("figure", "lambdash", "peer", "", "ratio", "target", "")]
    for figure in figures:
        spread = figure.ratio_spread
        shown_ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        if spread is not None:
            shown_ratio += f" ({spread[0]:.2f}-{spread[1]:.2f})"
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        rows.append(
            (
                figure.name,
                _spread(figure.ours, figure.unit),
                figure.peer,
                _spread(figure.theirs, figure.unit),
                shown_ratio,
                "" if figure.target is None else str(figure.target),
                verdict,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    notes = [f"  {figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([*lines, *(["", "notes:", *notes] if notes else [])])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _spread(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    median = f"{_short(statistics.median(values))} {unit}".rstrip()
    if len(values) == 1:
        return median
    return f"{median} ({_short(min(values))}-{_short(max(values))})"


def _short(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
