"""What a long piece of work says while it runs; the edges draw bars or print lines from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of ``task`` (``hello: dependencies``): ``done`` of ``total`` in ``unit``, or none.

    ``finished`` closes the task's bar; ``text`` is a short present-tense remark or empty.
    """

    task: str
    text: str = ""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    finished: bool = False


ProgressSink: TypeAlias = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A sink for callers that show nothing."""
