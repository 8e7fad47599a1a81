"""An event source mapping as its poller sees it, and how a poller reaches the function."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from lambdash.model import Outcome
from lambdash.patterns import FilterCriteria

# Function name, qualifier and payload in; how the synchronous invocation ended out.
InvokeFunction: TypeAlias = Callable[[str, str | None, bytes], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Mapping:
    """What all kinds of mapping have. ``window_s`` is how long a batch may wait to fill up.

    ``reports_failures``: the function answers which items failed (``ReportBatchItemFailures``).
    ``concurrency`` bounds the batches in flight at a time.
    """

    uuid: str
    source_arn: str
    function_name: str
    qualifier: str | None
    batch_size: int
    window_s: float
    filters: FilterCriteria
    reports_failures: bool
    concurrency: int
