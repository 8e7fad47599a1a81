"""The environments and the queue of one function; every question about them, and no command."""

import math
from collections import OrderedDict
from collections.abc import Iterator

from lambdash import limits
from lambdash.model import Scaling
from lambdash.pool.commands import StopReason
from lambdash.pool.environment import Environment, EnvironmentState
from lambdash.pool.invocation import PooledInvocation
from lambdash.pool.share import Share

_FAILURES = frozenset(
    {
        StopReason.TIMED_OUT,
        StopReason.INIT_FAILED,
        StopReason.CRASHED,
        StopReason.OUT_OF_MEMORY,
    }
)
_STARTING = frozenset({EnvironmentState.LAUNCHING, EnvironmentState.INITIALIZING})


class FunctionPool:
    """``environments`` are the live ones of any revision; STOPPING ones are only counted.

    Those of the current revision that may serve lie in ``idle`` (least recently used first) or in
    ``coming`` (starting, responded, reconnecting); a staged revision's lie in ``staged``; those of
    superseded revisions drain in neither. Provisioned ones lie last in ``idle``, so that they are
    the first to serve and the last to go. ``active`` counts invocations waiting and in flight; they
    count against ``share`` as well, which all keys of the function ``group`` have in common, but
    for the first ``provisioned`` of them, which are set aside.
    """

    __slots__ = (
        "active",
        "charge_mb",
        "coming",
        "environments",
        "group",
        "idle",
        "keep_alive_s",
        "max_environments",
        "name",
        "provisioned",
        "provisioning_failed",
        "retry_at",
        "revision_id",
        "share",
        "staged",
        "staged_revision_id",
        "stopping",
        "waiting",
    )

    def __init__(self, name: str, share: Share) -> None:
        self.name = name
        self.group = name
        self.share = share
        self.revision_id: str | None = None
        self.staged_revision_id: str | None = None
        self.charge_mb = 0
        self.environments: dict[str, Environment] = {}
        self.idle: dict[str, Environment] = {}
        self.coming: dict[str, Environment] = {}
        self.staged: dict[str, Environment] = {}
        self.waiting: OrderedDict[str, PooledInvocation] = OrderedDict()
        self.stopping = 0
        self.active = 0
        self.provisioned = 0
        self.provisioning_failed: StopReason | None = None
        self.scale(Scaling())

    def __repr__(self) -> str:
        return (
            f"<FunctionPool {self.name}@{self.revision_id} idle={len(self.idle)}"
            f" coming={len(self.coming)} live={len(self.environments)}"
            f" waiting={len(self.waiting)}>"
        )

    def scale(self, scaling: Scaling) -> None:
        self.max_environments = max(
            scaling.max_environments, scaling.provisioned_concurrent_executions
        )
        self.keep_alive_s = scaling.keep_alive_s
        self.provisioning_failed = None
        self.retry_at = -math.inf

    def forget(self, environment: Environment) -> None:
        """Take one that stops out of every list; a cold invocation it was meant for waits on."""
        for group in (self.environments, self.idle, self.coming, self.staged):
            group.pop(environment.id, None)
        if environment.promised_to is not None:
            environment.promised_to.promised = False
            environment.promised_to = None

    def switch(self, revision_id: str | None, charge_mb: int) -> list[Environment]:
        """Make another revision current; returns whom that makes useless (busy ones drain)."""
        useless = [*self.idle.values()]
        useless += [e for e in self.coming.values() if e.state is not EnvironmentState.RESPONDED]
        self.idle, self.coming = {}, {}
        self.revision_id, self.charge_mb = revision_id, charge_mb
        if self.staged_revision_id != revision_id:
            return useless + self.unstage()
        for environment in self.unstage():
            adopting = self.idle if environment.state is EnvironmentState.IDLE else self.coming
            adopting[environment.id] = environment
        return useless

    def unstage(self) -> list[Environment]:
        staged = list(self.staged.values())
        self.staged, self.staged_revision_id = {}, None
        return staged

    def has_slot(self) -> bool:
        """Stopping ones leave their slot at once, but at most ``max_environments`` of them."""
        live = len(self.environments) - len(self.staged)
        return live < self.max_environments and self._stopping_is_bounded()

    def has_slot_after_eviction(self) -> bool:
        live = len(self.environments) - len(self.staged)
        return live <= self.max_environments and self._stopping_is_bounded()

    def _stopping_is_bounded(self) -> bool:
        live = len(self.environments) - len(self.staged)
        return live + self.stopping < 2 * self.max_environments

    def is_surplus(self, environment: Environment) -> bool:
        """Whether there are more like this one, of the current revision, than may be: that many
        are provisioned no more, or ``max_environments`` was made smaller."""
        if environment.provisioned:
            return len(self.provided()) > self.provisioned
        if len(self.environments) - len(self.staged) <= self.max_environments:
            return False
        revisions = [each.revision_id for each in self.environments.values()]
        return revisions.count(self.revision_id or "") > self.max_environments

    def surplus(self) -> Environment | None:
        """One that is free to go, and of which there are too many."""
        return next(filter(self.is_surplus, self._evictable()), None)

    def provided(self) -> list[Environment]:
        """The provisioned environments of the current revision."""
        current = self.revision_id
        return [e for e in self.environments.values() if e.provisioned and e.revision_id == current]

    def missing(self) -> int:
        """How many provisioned environments there should be besides."""
        if self.revision_id is None:
            return 0
        return max(0, self.provisioned - len(self.provided()))

    def may_provision(self, now: float) -> bool:
        """Whether one more is missing, and the last did not fail just now, and few are starting."""
        starting = sum(environment.state in _STARTING for environment in self.provided())
        return (
            self.missing() > 0 and starting < limits.PROVISIONING_AT_ONCE and now >= self.retry_at
        )

    def failed_to_provision(self, environment: Environment, reason: StopReason, now: float) -> bool:
        """Whether it ended by itself before it was of any use: then the next one is tried later, so
        that nothing is launched for ever."""
        used = environment.served > 0 or environment.invocation is not None
        if reason not in _FAILURES or used or environment.revision_id != self.revision_id:
            return False
        self.provisioning_failed = reason
        self.retry_at = now + limits.PROVISIONING_RETRY_S
        return True

    def idle_on_demand(self) -> Environment | None:
        """The least recently used that is not provisioned."""
        first = next(iter(self.idle.values()), None)
        return None if first is None or first.provisioned else first

    def came_idle(self, environment: Environment) -> None:
        """It was put last in ``idle``, where provisioned ones belong."""
        if environment.provisioned:
            self.provisioning_failed = None
            return
        for provisioned in [each for each in self.idle.values() if each.provisioned]:
            self.idle[provisioned.id] = self.idle.pop(provisioned.id)

    def next_to_serve(self) -> PooledInvocation | None:
        """Who gets the next idle environment: the first in line that may have a used one."""
        return next(self._ordinary(), None)

    def next_to_launch_for(self, now: float) -> PooledInvocation | None:
        """The first in line for whom no environment is idle or coming, or None."""
        free = len(self.idle) + self._soon(now)
        for invocation in self.waiting.values():
            if invocation.cold:
                if not invocation.promised:
                    return invocation
            elif free == 0:
                return invocation
            else:
                free -= 1
        return None

    def has_share(self) -> bool:
        """Whether concurrency is left for one more invocation."""
        return self.active < self.provisioned or self.share.used < self.share.limit

    def would_launch(self, now: float, *, cold: bool) -> bool:
        """Whether one more invocation would have an environment launched for it."""
        if cold:
            return True
        ordinary = sum(1 for _ in self._ordinary())
        return not self.idle and self.has_slot() and ordinary >= self._soon(now)

    def casualty_of(self, failed: Environment, now: float) -> PooledInvocation | None:
        """Who fails with an environment that never became ready, so that nothing is relaunched
        for ever: whoever it was launched for, else the head if the line is now too long. Nobody
        counts on a provisioned one that is not ready yet."""
        if failed.provisioned:
            return None
        launched_for = self.waiting.get(failed.launched_for or "")
        if launched_for is not None:
            return launched_for
        covered = len(self.idle) + self._soon(now) - 1
        line = sum(1 for _, _ in zip(self._ordinary(), range(covered + 1), strict=False))
        return self.next_to_serve() if line > covered else None

    def evictable(self) -> Environment | None:
        """The one least missed: without a poll first, then the least recently used; provisioned
        ones only when there is no other."""
        return min(self._evictable(), key=lambda environment: environment.provisioned, default=None)

    def _evictable(self) -> Iterator[Environment]:
        without_poll = EnvironmentState.RECONNECTING
        yield from (e for e in self.coming.values() if e.state is without_poll)
        yield from self.idle.values()

    def expired(self, now: float) -> Iterator[Environment]:
        """Idle for ``keep_alive_s``, or without a poll for ``limits.REPOLL_MAX_S``."""
        for environment in self._expiring():
            if now >= self._expires_at(environment):
                yield environment

    def wakes_at(self, now: float) -> float:
        """When something here changes by itself; infinite for never."""
        expiries = (self._expires_at(environment) for environment in self._expiring())
        retry_at = self.retry_at if self.retry_at > now else math.inf
        return min(self.grace_ends_at(now), retry_at, min(expiries, default=math.inf))

    def grace_ends_at(self, now: float) -> float:
        """When an invocation stops counting on a runtime that has answered but not polled."""
        if not self.waiting or not self.has_slot():
            return math.inf
        ends = (e.since + limits.REPOLL_GRACE_S for e in self.coming.values())
        return min((end for end in ends if end > now), default=math.inf)

    def _expiring(self) -> Iterator[Environment]:
        yield from (e for e in self.idle.values() if not e.provisioned)
        without_poll = EnvironmentState.RECONNECTING
        yield from (e for e in self.coming.values() if e.state is without_poll)
        yield from (e for e in self.staged.values() if e.state not in _STARTING)

    def _expires_at(self, environment: Environment) -> float:
        if environment.state is EnvironmentState.RECONNECTING:
            return environment.since + limits.REPOLL_MAX_S
        return environment.since + self.keep_alive_s

    def _ordinary(self) -> Iterator[PooledInvocation]:
        return (invocation for invocation in self.waiting.values() if not invocation.cold)

    def _soon(self, now: float) -> int:
        """How many of ``coming`` will serve anyone: not promised, not overdue with their poll, and
        not provisioned and starting (as on AWS, nobody waits for those)."""
        return sum(
            environment.promised_to is None
            and (
                not environment.provisioned
                if environment.state in _STARTING
                else now < environment.since + limits.REPOLL_GRACE_S
            )
            for environment in self.coming.values()
        )
