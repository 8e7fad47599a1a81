"""The environments and the queue of one function; every question about them, and no command."""

import math
from collections import OrderedDict
from collections.abc import Iterator

from lambdash import limits
from lambdash.model import Scaling
from lambdash.pool.environment import Environment, EnvironmentState
from lambdash.pool.invocation import PooledInvocation
from lambdash.pool.share import Share

_STARTING = frozenset({EnvironmentState.LAUNCHING, EnvironmentState.INITIALIZING})


class FunctionPool:
    """``environments`` are the live ones of any revision; STOPPING ones are only counted.

    Those of the current revision that may serve lie in ``idle`` (least recently used first) or in
    ``coming`` (starting, responded, reconnecting); a staged revision's lie in ``staged``; those of
    superseded revisions drain in neither. ``active`` counts invocations waiting and in flight; they
    count against ``share`` as well, which all keys of the function ``group`` have in common.
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
        self.scale(Scaling())

    def __repr__(self) -> str:
        return (
            f"<FunctionPool {self.name}@{self.revision_id} idle={len(self.idle)}"
            f" coming={len(self.coming)} live={len(self.environments)}"
            f" waiting={len(self.waiting)}>"
        )

    def scale(self, scaling: Scaling) -> None:
        self.max_environments = scaling.max_environments
        self.keep_alive_s = scaling.keep_alive_s

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

    def has_surplus(self) -> bool:
        """More of the current revision than ``max_environments``, which was made smaller."""
        if len(self.environments) - len(self.staged) <= self.max_environments:
            return False
        revisions = [environment.revision_id for environment in self.environments.values()]
        return revisions.count(self.revision_id or "") > self.max_environments

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

    def casualty_of(self, failed: Environment, now: float) -> PooledInvocation | None:
        """Who fails with an environment that never became ready, so that nothing is relaunched
        for ever: whoever it was launched for, else the head if the line is now too long."""
        launched_for = self.waiting.get(failed.launched_for or "")
        if launched_for is not None:
            return launched_for
        covered = len(self.idle) + self._soon(now) - 1
        line = sum(1 for _, _ in zip(self._ordinary(), range(covered + 1), strict=False))
        return self.next_to_serve() if line > covered else None

    def evictable(self) -> Environment | None:
        """The one least missed: without a poll first, then the least recently used."""
        for environment in self.coming.values():
            if environment.state is EnvironmentState.RECONNECTING:
                return environment
        return next(iter(self.idle.values()), None)

    def expired(self, now: float) -> Iterator[Environment]:
        """Idle for ``keep_alive_s``, or without a poll for ``limits.REPOLL_MAX_S``."""
        for environment in self._expiring():
            if now >= self._expires_at(environment):
                yield environment

    def wakes_at(self, now: float) -> float:
        """When something here changes by itself; infinite for never."""
        expiries = (self._expires_at(environment) for environment in self._expiring())
        return min(self.grace_ends_at(now), min(expiries, default=math.inf))

    def grace_ends_at(self, now: float) -> float:
        """When an invocation stops counting on a runtime that has answered but not polled."""
        if not self.waiting or not self.has_slot():
            return math.inf
        ends = (e.since + limits.REPOLL_GRACE_S for e in self.coming.values())
        return min((end for end in ends if end > now), default=math.inf)

    def _expiring(self) -> Iterator[Environment]:
        yield from self.idle.values()
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
        """How many of ``coming`` will serve anyone: not promised, not overdue with their poll."""
        return sum(
            environment.promised_to is None
            and (environment.state in _STARTING or now < environment.since + limits.REPOLL_GRACE_S)
            for environment in self.coming.values()
        )
