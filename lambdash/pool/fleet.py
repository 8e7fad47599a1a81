"""All environments of the daemon: who gets an idle one, who a new one, and who makes room.

Every method that changes something returns or appends the command that says so.
"""

import math
from collections.abc import Callable

from lambdash.pool.commands import (
    Command,
    Dispatch,
    Fail,
    FailCause,
    Launch,
    Stop,
    StopReason,
)
from lambdash.pool.concurrency import Concurrency
from lambdash.pool.environment import Cause, Environment
from lambdash.pool.function_pool import FunctionPool
from lambdash.pool.invocation import PooledInvocation
from lambdash.pool.memory import MemoryBudget
from lambdash.pool.rates import ScalingRates


class Fleet:
    """``waiting`` finds an invocation's queue; ``deployed`` are the functions that take new ones.

    ``wakes_at`` is never later than the next change. ``hungry`` holds, between events, the
    functions that lack memory and only those; ``lacking`` those that have fewer provisioned
    environments than they should.
    """

    def __init__(
        self,
        new_environment_id: Callable[[], str],
        memory: MemoryBudget,
        concurrency: Concurrency,
        rates: ScalingRates | None,
    ) -> None:
        self._new_environment_id = new_environment_id
        self.memory = memory
        self.concurrency = concurrency
        self.rates = rates
        self.functions: dict[str, FunctionPool] = {}
        self.deployed: dict[str, FunctionPool] = {}
        self.environments: dict[str, Environment] = {}
        self.waiting: dict[str, FunctionPool] = {}
        self.hungry: dict[str, FunctionPool] = {}
        self.lacking: dict[str, FunctionPool] = {}
        self.wakes_at = math.inf
        self.closed = False

    def wake_by(self, at: float) -> None:
        if at < self.wakes_at:  # noqa: PLR1730 - a call to min() on the warm path
            self.wakes_at = at

    def dispatch(
        self, environment: Environment, invocation: PooledInvocation, now: float
    ) -> Dispatch:
        """Hand over to an idle environment that is in no list any more."""
        environment.move(Dispatch, now)
        environment.invocation = invocation
        environment.promised_to = None
        return Dispatch(environment.id, invocation.id)

    def serve(
        self,
        function: FunctionPool,
        environment: Environment,
        invocation: PooledInvocation,
        now: float,
    ) -> Dispatch:
        """Dispatch who waited."""
        self.leave_queue(function, invocation)
        return self.dispatch(environment, invocation, now)

    def enter_queue(self, function: FunctionPool, invocation: PooledInvocation) -> None:
        function.waiting[invocation.id] = invocation
        self.waiting[invocation.id] = function

    def enter_queue_first(self, function: FunctionPool, invocation: PooledInvocation) -> None:
        """Ahead of everyone who waits, in the daemon's line as well: those two must agree on who
        comes first, or one would evict for ever what was launched for the other."""
        first = next(iter(function.waiting.values()), None)
        if first is not None:
            invocation.order = min(invocation.order, first.order - 1)
        self.enter_queue(function, invocation)
        function.waiting.move_to_end(invocation.id, last=False)

    def leave_queue(self, function: FunctionPool, invocation: PooledInvocation) -> None:
        del function.waiting[invocation.id]
        del self.waiting[invocation.id]

    def launch(
        self, function: FunctionPool, revision_id: str, charge_mb: int, now: float
    ) -> Environment:
        """Take the memory and register; the caller lists it and says ``Launch``."""
        identity = self._new_environment_id()
        environment = Environment(identity, function.name, revision_id, charge_mb, now)
        self.memory.take(charge_mb)
        self.environments[environment.id] = environment
        function.environments[environment.id] = environment
        return environment

    def launch_current(
        self, function: FunctionPool, invocation: PooledInvocation | None, now: float
    ) -> Launch:
        revision_id = function.revision_id
        assert revision_id is not None, "nobody waits for a function that was removed"
        environment = self.launch(function, revision_id, function.charge_mb, now)
        function.coming[environment.id] = environment
        if self.rates is not None:
            self.rates.launched(function, now)
        if invocation is not None:
            environment.launched_for = invocation.id
            if invocation.cold:
                invocation.promised = True
                environment.promised_to = invocation
        return environment.launch()

    def launch_provisioned(self, function: FunctionPool, now: float) -> Launch:
        revision_id = function.revision_id
        assert revision_id is not None, "nothing is provisioned for a function that was removed"
        environment = self.launch(function, revision_id, function.charge_mb, now)
        environment.provisioned = True
        function.coming[environment.id] = environment
        return environment.launch()

    def retire(
        self, environment: Environment, reason: StopReason, cause: Cause, now: float
    ) -> Stop:
        """Have it stopped, whatever it does; ``cause`` is ``Stop`` or the event that ended it."""
        environment.move(cause, now)
        function = self.functions[environment.function]
        if environment.provisioned:
            self.lacking[function.name] = function
            if function.failed_to_provision(environment, reason, now):
                self.wake_by(function.retry_at)
        function.forget(environment)
        function.stopping += 1
        self.memory.stopping(environment.charge_mb)
        return Stop(environment.id, reason)

    def rebalance(
        self, function: FunctionPool, now: float, commands: list[Command]
    ) -> list[Command]:
        """Serve and launch, in order of arrival, as far as slots and memory go.

        ``function`` is the one something changed for; those that lack memory are seen to as well.
        """
        self.hungry[function.name] = function
        is_blocked = False
        while True:
            served = function.next_to_serve() if function.idle else None
            wanting = None if is_blocked else self._oldest_wanting(now)
            if served is not None and (wanting is None or served.order < wanting[1].order):
                environment = function.idle.popitem()[1]
                commands.append(self.serve(function, environment, served, now))
            elif wanting is not None:
                is_blocked = not self._launch_for(*wanting, now, commands)
            else:
                if self.lacking:
                    self.provision(now, commands)
                return commands

    def _oldest_wanting(self, now: float) -> tuple[FunctionPool, PooledInvocation] | None:
        oldest: tuple[FunctionPool, PooledInvocation] | None = None
        for function in list(self.hungry.values()):
            invocation = function.next_to_launch_for(now)
            if invocation is None:
                del self.hungry[function.name]
                self.wake_by(function.grace_ends_at(now))
            elif oldest is None or invocation.order < oldest[1].order:
                oldest = function, invocation
        return oldest

    def _launch_for(
        self,
        function: FunctionPool,
        invocation: PooledInvocation,
        now: float,
        commands: list[Command],
    ) -> bool:
        """One step towards a launch: evict one, or launch, or give up until a slot is free.

        False: memory is not there yet, and nobody who came later may take it. One step at a time,
        because an eviction may leave someone wanting who came earlier.
        """
        charge_mb = function.charge_mb
        if not function.has_slot():
            victim = function.evictable() if invocation.cold else None
            if victim is None or not function.has_slot_after_eviction():
                del self.hungry[function.name]
                return True
        elif self.memory.fits(charge_mb):
            commands.append(self.launch_current(function, invocation, now))
            return True
        else:
            victim = None if self.memory.will_fit(charge_mb) else self._least_missed(function)
            if victim is None:
                return False
        commands.append(self.retire(victim, StopReason.EVICTED, Stop, now))
        self.hungry[victim.function] = self.functions[victim.function]
        return True

    def _least_missed(self, function: FunctionPool) -> Environment | None:
        """The least recently used of the others, provisioned ones last; else one of its own (a
        cold one waits then)."""
        candidates = (pool.evictable() for pool in self.functions.values() if pool is not function)
        found = [environment for environment in candidates if environment is not None]
        least = min(found, key=lambda each: (each.provisioned, each.since), default=None)
        return function.evictable() if least is None else least

    def provision(self, now: float, commands: list[Command]) -> None:
        """Launch what is missing of the provisioned ones, behind everyone who lacks memory."""
        for function in list(self.lacking.values()):
            while not self.hungry and self._provision_one(function, now, commands):
                pass
            if function.missing() == 0 or self.closed:
                del self.lacking[function.name]

    def _provision_one(self, function: FunctionPool, now: float, commands: list[Command]) -> bool:
        """One step towards it, at the cost of idle environments on demand only."""
        if self.closed or not function.may_provision(now):
            return False
        if not function.has_slot():
            victim = function.idle_on_demand() if function.has_slot_after_eviction() else None
        elif self.memory.fits(function.charge_mb):
            commands.append(self.launch_provisioned(function, now))
            return True
        elif self.memory.will_fit(function.charge_mb):
            return False
        else:
            idle = filter(None, (pool.idle_on_demand() for pool in self.functions.values()))
            victim = min(idle, key=lambda environment: environment.since, default=None)
        if victim is None:
            return False
        commands.append(self.retire(victim, StopReason.EVICTED, Stop, now))
        return True

    def settle(
        self,
        environment: Environment,
        function: FunctionPool,
        now: float,
        commands: list[Command],
    ) -> None:
        """One that runs nothing now and will poll again: keep it if its revision is current."""
        if environment.revision_id == function.revision_id:
            function.coming[environment.id] = environment
        else:
            commands.append(self.retire(environment, StopReason.SUPERSEDED, Stop, now))

    def fail(
        self,
        function: FunctionPool,
        invocation: PooledInvocation,
        cause: FailCause,
        detail: object = None,
    ) -> Fail:
        if invocation.id in function.waiting:
            self.leave_queue(function, invocation)
        self.end(function)
        return Fail(invocation.id, cause, detail)

    def end(self, function: FunctionPool) -> None:
        """One invocation of the function waits and runs no more."""
        function.active -= 1
        if function.active >= function.provisioned:
            function.share.used -= 1

    def drop_if_empty(self, function: FunctionPool) -> None:
        """Forget a removed function once its last environment has stopped."""
        if function.revision_id is None and not function.environments and not function.stopping:
            del self.functions[function.name]

    def close(self, now: float) -> list[Command]:
        """Fail everyone, stop everything."""
        self.closed = True
        self.deployed.clear()
        commands: list[Command] = []
        for function in self.functions.values():
            flying = [e.invocation for e in function.environments.values() if e.invocation]
            for environment in list(function.environments.values()):
                environment.invocation = None
                commands.append(self.retire(environment, StopReason.SHUTDOWN, Stop, now))
            unanswered = [*function.waiting.values(), *flying]
            commands += [self.fail(function, one, FailCause.SHUTDOWN) for one in unanswered]
        return commands
