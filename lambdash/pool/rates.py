"""How fast AWS lets a function scale and be invoked (``scaling: aws``): token buckets of ``now``.

https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html: 1,000 new environments every 10
seconds for each function, refilled all the time and never more than 1,000.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html#concurrency-vs-requests-per-second:
10 requests a second for each unit of concurrency, the account's and a function's own.
"""

from lambdash import limits
from lambdash.pool.commands import ThrottleReason
from lambdash.pool.concurrency import Concurrency
from lambdash.pool.function_pool import FunctionPool

_ROUNDING = 1e-9


class TokenBucket:
    """Full at first; ``per_s`` tokens come back a second, up to ``capacity``."""

    __slots__ = ("_at", "_capacity", "_per_s", "_tokens")

    def __init__(self, per_s: float, capacity: float) -> None:
        self._per_s = per_s
        self._capacity = self._tokens = capacity
        self._at = 0.0

    def has_one(self, now: float) -> bool:
        """Whether a token is there."""
        came = (now - self._at) * self._per_s
        self._tokens, self._at = min(self._capacity, self._tokens + came), now
        return self._tokens >= 1 - _ROUNDING

    def take(self, now: float) -> None:
        """Use one; what is used without being there is owed."""
        self.has_one(now)
        self._tokens -= 1

    def resize(self, per_s: float, capacity: float, now: float) -> None:
        """Another size from now on, as full as it was but for what no longer fits."""
        if (per_s, capacity) != (self._per_s, self._capacity):
            self.has_one(now)
            self._per_s, self._capacity = per_s, capacity
            self._tokens = min(self._tokens, capacity)


class ScalingRates:
    """One of these for a pool whose project asked for it."""

    def __init__(self, concurrency: Concurrency) -> None:
        requests = concurrency.account.concurrent_executions * limits.REQUESTS_PER_UNIT_PER_S
        self._account = TokenBucket(requests, requests)
        self._requests: dict[str, TokenBucket] = {}
        self._launches: dict[str, TokenBucket] = {}

    def refusal(self, function: FunctionPool, now: float, *, cold: bool) -> ThrottleReason | None:
        """What one more request is throttled with, if it is."""
        if not self._account.has_one(now):
            return ThrottleReason.CALLER_RATE
        own = self._own_requests(function, now)
        if own is not None and not own.has_one(now):
            return ThrottleReason.RESERVED_RATE
        if function.would_launch(now, cold=cold) and not self._launches_of(function).has_one(now):
            return ThrottleReason.FUNCTION_RATE
        return None

    def admitted(self, function: FunctionPool, now: float) -> None:
        """A request was let in."""
        self._account.take(now)
        own = self._own_requests(function, now)
        if own is not None:
            own.take(now)

    def launched(self, function: FunctionPool, now: float) -> None:
        """An environment was launched on demand."""
        self._launches_of(function).take(now)

    def forget(self, group: str) -> None:
        """The function is gone."""
        self._requests.pop(group, None)
        self._launches.pop(group, None)

    def _own_requests(self, function: FunctionPool, now: float) -> TokenBucket | None:
        """Only a function that reserves has a rate of its own."""
        if function.share.reason is not ThrottleReason.RESERVED:
            return None
        per_s = function.share.limit * limits.REQUESTS_PER_UNIT_PER_S
        bucket = self._requests.setdefault(function.group, TokenBucket(per_s, per_s))
        bucket.resize(per_s, per_s, now)
        return bucket

    def _launches_of(self, function: FunctionPool) -> TokenBucket:
        capacity = limits.SCALING_ENVIRONMENTS_MAX
        bucket = TokenBucket(capacity / limits.SCALING_PERIOD_S, capacity)
        return self._launches.setdefault(function.group, bucket)
