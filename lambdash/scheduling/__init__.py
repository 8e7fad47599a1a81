"""When something is due: AWS's schedule expressions, and the delays of retries.

Pure: ``now`` is an argument, a time zone is a ``tzinfo`` that the caller loads.
"""

from lambdash.scheduling.backoff import asynchronous_retry_delay_s, backoff_delay_s
from lambdash.scheduling.cron import Cron
from lambdash.scheduling.expression import Dialect, parse_schedule
from lambdash.scheduling.problems import InvalidSchedule
from lambdash.scheduling.recurrence import At, Rate, Schedule

__all__ = [
    "At",
    "Cron",
    "Dialect",
    "InvalidSchedule",
    "Rate",
    "Schedule",
    "asynchronous_retry_delay_s",
    "backoff_delay_s",
    "parse_schedule",
]
