"""Figures of metrics from the journal. Blocks: for the journal's own thread."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from lambdash import limits
from lambdash.aws_gateway.cloudwatch.samples import Sample, samples
from lambdash.aws_gateway.cloudwatch.statistics import Window, periods
from lambdash.storage.journal import Journal, JournalEntry

# a period's beginning -> name of the statistic -> figure; oldest first
Points: TypeAlias = dict[float, dict[str, float]]


class Wanted(NamedTuple):
    """One metric of one function (None: of all together), and what of it."""

    metric: str
    function: str | None
    within: Window
    figures: Mapping[str, Callable[[Sequence[float]], float]]


def points(journal: Journal, wanted: Sequence[Wanted]) -> list[Points]:
    """For each that is wanted; the journal is read once for all of them."""
    # what began before a window can still have gone on in it
    since = min((one.within.start for one in wanted), default=0.0) - limits.TIMEOUT_MAX_S
    by_function: dict[str | None, list[JournalEntry]] = {None: entries(journal, since)}
    for entry in by_function[None]:
        by_function.setdefault(entry.function, []).append(entry)
    known: dict[tuple[str, str | None], list[Sample]] = {}
    found = []
    for one in wanted:
        key = one.metric, one.function
        if key not in known:
            known[key] = sorted(samples(one.metric, by_function.get(one.function, ())))
        found.append(
            {
                at: {name: float(figure(values)) for name, figure in one.figures.items()}
                for at, values in periods(known[key], one.within).items()
            }
        )
    return found


def entries(journal: Journal, since: float) -> list[JournalEntry]:
    """The invocations that came from a moment on."""
    return journal.entries(limits.JOURNAL_MAX_INVOCATIONS, lambda entry: entry.at >= since)


def functions(journal: Journal) -> list[str]:
    """The names of all that were invoked."""
    return sorted({entry.function for entry in entries(journal, 0.0)})
