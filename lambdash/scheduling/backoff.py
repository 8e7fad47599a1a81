"""How long to wait before trying again.

Source of behaviour: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
"""

from lambdash import limits


def asynchronous_retry_delay_s(retry: int) -> float:
    """The wait before the ``retry``-th retry (from 1) of an event that the function failed on."""
    assert retry >= 1
    return limits.ASYNC_RETRY_FIRST_S if retry == 1 else limits.ASYNC_RETRY_LATER_S


def backoff_delay_s(attempt: int, *, first_s: float, max_s: float) -> float:
    """The wait after the ``attempt``-th attempt (from 1) in vain: doubled each time, bounded."""
    assert attempt >= 1
    if attempt > 64:
        return max_s
    return min(first_s * 2.0 ** (attempt - 1), max_s)
