"""What runs where, decided: events in with ``now``, commands out. It performs nothing itself.

An invocation goes to the most recently used idle environment, else it waits for one; a function
launches only as many as wait without one idle or coming. Then, in this order of precedence:

- *Throttle*: at the reserved concurrency of the function (all its keys together), or at what the
  account has left for those that reserve nothing (waiting counts); or the queue is full; or, with
  ``aws_scaling``, at AWS's rates.
- *Slots*: live environments never exceed ``max_environments`` (draining ones of an old revision
  count). Stopping ones do not, so that a replacement need not wait for a removal; yet live and
  stopping together stay within twice that number. One staged environment comes on top.
- *Memory*: all environments, stopping ones included, fit the budget. The oldest invocation that
  lacks memory takes every idle environment of other functions, least recently used first, and
  whatever frees next; who came later waits behind it, so that the large do not starve. A function
  larger than the budget runs alone. Stopping always ends, so nothing waits for ever.
- *Cold* invocations get an environment launched for them alone, in place of an idle one at the
  maximum.
- *Provisioned* environments are launched ahead, a few at a time, behind everyone who waits. They
  serve first, are kept, and make room for others only when nothing else can. Nobody waits for one
  to initialise; what they cannot take is served on demand. One that fails before it was of use
  fails nobody, and is tried again later.
- *Failures*: an environment that never became ready fails one waiting invocation, one that fails
  in flight fails its own; hence launches are bounded by arrivals.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from lambdash import limits
from lambdash.pool import revisions
from lambdash.pool.commands import (
    Command,
    Fail,
    FailCause,
    Stop,
    StopReason,
    Throttle,
    ThrottleReason,
)
from lambdash.pool.concurrency import AccountConcurrency, Concurrency
from lambdash.pool.environment import Environment, EnvironmentState, IllegalTransition
from lambdash.pool.events import (
    CallerGone,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentStopped,
    Event,
    FunctionDeployed,
    FunctionRemoved,
    InvocationArrived,
    PollLost,
    Prewarm,
    RevisionStaged,
    Shutdown,
)
from lambdash.pool.fleet import Fleet
from lambdash.pool.function_pool import FunctionPool
from lambdash.pool.invocation import PooledInvocation
from lambdash.pool.memory import MemoryBudget
from lambdash.pool.provisioned import ProvisionedConcurrency, provisioned_concurrency
from lambdash.pool.rates import ScalingRates
from lambdash.pool.view import EnvironmentView

Commands: TypeAlias = Sequence[Command]
_State = EnvironmentState
_STARTING = (_State.LAUNCHING, _State.INITIALIZING)


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """The daemon's own limits. ``memory_budget_mb`` None means that memory is not counted.

    ``aws_scaling`` throttles what comes or grows faster than on AWS.
    """

    concurrent_executions: int = limits.CONCURRENT_EXECUTIONS
    memory_budget_mb: int | None = None
    queue_max_invocations: int = limits.QUEUE_MAX_INVOCATIONS
    aws_scaling: bool = False


class Pool:
    """``new_environment_id`` gives each launch a name that was never given before.

    ``now`` never goes back. News of environments that are stopping or unknown is late, and
    swallowed; what cannot happen in a state raises ``IllegalTransition`` and changes nothing.
    """

    def __init__(
        self, new_environment_id: Callable[[], str], options: PoolOptions | None = None
    ) -> None:
        self._options = options or PoolOptions()
        self._concurrency = Concurrency(self._options.concurrent_executions)
        memory = MemoryBudget(self._options.memory_budget_mb)
        self._rates = ScalingRates(self._concurrency) if self._options.aws_scaling else None
        self._fleet = Fleet(new_environment_id, memory, self._concurrency, self._rates)
        self._functions = self._fleet.functions
        self._deployed = self._fleet.deployed
        self._environments = self._fleet.environments
        self._arrivals = 0
        self._handlers: dict[type[Any], Callable[[Any, float], Commands]] = {
            FunctionDeployed: partial(revisions.deploy, self._fleet),
            RevisionStaged: partial(revisions.stage, self._fleet),
            FunctionRemoved: partial(revisions.remove, self._fleet),
            InvocationArrived: self._invocation_arrived,
            CallerGone: self._caller_gone,
            EnvironmentLaunched: self._environment_launched,
            EnvironmentReady: self._environment_ready,
            EnvironmentResponded: self._environment_responded,
            PollLost: self._poll_lost,
            DispatchFailed: self._dispatch_failed,
            EnvironmentReset: self._environment_reset,
            EnvironmentFailed: self._environment_failed,
            EnvironmentStopped: self._environment_stopped,
            Prewarm: partial(revisions.prewarm, self._fleet),
            Shutdown: self._shutdown,
        }
        if self._rates is not None:
            self._handlers[InvocationArrived] = partial(self._arrived_at_a_rate, self._rates)

    def __repr__(self) -> str:
        states = Counter(environment.state.value for environment in self._environments.values())
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"<Pool {told or 'no environments'}; {len(self._fleet.waiting)} waiting>"

    def handle(self, event: Event, now: float) -> Commands:
        """What to do about it, in this order."""
        return self._handlers[type(event)](event, now)

    def next_deadline(self) -> float | None:
        """When to call ``tick``; at times earlier than needed, never later. One attribute's cost.

        It may have come nearer after any ``handle``; a timer that is early does no harm.
        """
        return None if self._fleet.wakes_at == math.inf else self._fleet.wakes_at

    def tick(self, now: float) -> Commands:
        """Stop what outlived its keep-alive or lost its poll for good; launch in its place."""
        if now < self._fleet.wakes_at:
            return ()
        commands: list[Command] = []
        for function in self._functions.values():
            for environment in list(function.expired(now)):
                polls = environment.state is _State.IDLE
                reason = StopReason.IDLE if polls else StopReason.CRASHED
                commands.append(self._fleet.retire(environment, reason, Stop, now))
        for function in self._functions.values():
            if function.waiting:
                self._fleet.rebalance(function, now, commands)
        if self._fleet.lacking:
            self._fleet.provision(now, commands)
        pools = self._functions.values()
        self._fleet.wakes_at = min((pool.wakes_at(now) for pool in pools), default=math.inf)
        return commands

    def environments(self) -> tuple[EnvironmentView, ...]:
        """Every environment that has not stopped, oldest launch first."""
        return tuple(
            EnvironmentView(
                e.id, e.function, e.revision_id, e.state, e.since, e.served, e.provisioned
            )
            for e in self._environments.values()
        )

    def provisioned(self, function: str) -> ProvisionedConcurrency | None:
        """What is provisioned for a key; None where nothing is asked for, or nothing deployed."""
        pool = self._deployed.get(function)
        return None if pool is None or not pool.provisioned else provisioned_concurrency(pool)

    def waiting(self, function: str) -> tuple[str, ...]:
        """The ids of the invocations in the function's queue, first in line first."""
        pool = self._functions.get(function)
        return () if pool is None else tuple(pool.waiting)

    @property
    def active(self) -> int:
        """Invocations waiting and in flight: what a drain waits for."""
        return sum(function.active for function in self._functions.values())

    @property
    def account(self) -> AccountConcurrency:
        """The concurrency of the account, and what of it no function has reserved."""
        return self._concurrency.account

    # -- invocations ---------------------------------------------------------------------------

    def _invocation_arrived(self, event: InvocationArrived, now: float) -> Commands:
        function = self._deployed.get(event.function)
        if function is None:
            cause = FailCause.SHUTDOWN if self._fleet.closed else FailCause.FUNCTION_REMOVED
            return (Fail(event.invocation_id, cause),)
        share = function.share
        is_on_top = function.active >= function.provisioned  # of what is set aside for its key
        if is_on_top and share.used >= share.limit:
            return (Throttle(event.invocation_id, share.reason),)
        idle = function.idle
        is_served = idle and not event.cold
        if not is_served and len(function.waiting) >= self._options.queue_max_invocations:
            return (Throttle(event.invocation_id, ThrottleReason.QUEUE_FULL),)
        self._arrivals += 1
        function.active += 1
        if is_on_top:
            share.used += 1
        invocation = PooledInvocation(event.invocation_id, self._arrivals, event.cold)
        if is_served:
            return (self._fleet.dispatch(idle.popitem()[1], invocation, now),)
        self._fleet.enter_queue(function, invocation)
        if not event.cold and not function.has_slot():
            return ()
        return self._fleet.rebalance(function, now, [])

    def _arrived_at_a_rate(
        self, rates: ScalingRates, event: InvocationArrived, now: float
    ) -> Commands:
        """As any arrival, where the rates let it in; what else would throttle it goes first."""
        function = self._deployed.get(event.function)
        if function is None or not function.has_share():
            return self._invocation_arrived(event, now)
        reason = rates.refusal(function, now, cold=event.cold)
        if reason is not None:
            return (Throttle(event.invocation_id, reason),)
        rates.admitted(function, now)
        return self._invocation_arrived(event, now)

    def _caller_gone(self, event: CallerGone, now: float) -> Commands:
        function = self._fleet.waiting.get(event.invocation_id)
        if function is None:
            return ()
        invocation = function.waiting[event.invocation_id]
        for environment in function.coming.values():
            if environment.promised_to is invocation:
                environment.promised_to = None
        self._fleet.leave_queue(function, invocation)
        self._fleet.end(function)
        return self._fleet.rebalance(function, now, [])

    def _dispatch_failed(self, event: DispatchFailed, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        invocation = environment.invocation
        if invocation is not None and invocation.id != event.invocation_id:
            raise IllegalTransition(environment, DispatchFailed)
        environment.move(DispatchFailed, now)
        if invocation is None:
            return ()
        environment.invocation = None
        function = self._functions[environment.function]
        commands: list[Command] = []
        self._fleet.settle(environment, function, now, commands)
        self._fleet.wake_by(now + limits.REPOLL_MAX_S)
        invocation.promised = False
        invocation.redispatches += 1
        if function.revision_id is None:
            commands.append(self._fleet.fail(function, invocation, FailCause.FUNCTION_REMOVED))
        elif invocation.redispatches > limits.REDISPATCHES_MAX:
            commands.append(
                self._fleet.fail(function, invocation, FailCause.REDISPATCHES_EXHAUSTED)
            )
        else:
            self._fleet.enter_queue_first(function, invocation)
        return self._fleet.rebalance(function, now, commands)

    # -- environments --------------------------------------------------------------------------

    def _environment_launched(self, event: EnvironmentLaunched, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is not None:
            environment.move(EnvironmentLaunched, now)
        return ()

    def _environment_ready(self, event: EnvironmentReady, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        before = environment.state
        environment.move(EnvironmentReady, now)
        if before is environment.state:  # it stops, or it was idle already
            return ()
        function = self._functions[environment.function]
        may_be_surplus = (
            environment.provisioned or len(function.environments) > function.max_environments
        )
        if environment.revision_id != function.revision_id or (
            may_be_surplus and function.is_surplus(environment)
        ):
            return self._ready_out_of_turn(environment, function, now)
        function.coming.pop(environment.id, None)
        if environment.promised_to is not None:
            return (self._fleet.serve(function, environment, environment.promised_to, now),)
        function.idle[environment.id] = environment
        if function.provisioned:
            function.came_idle(environment)
        self._fleet.wake_by(now + function.keep_alive_s)
        if function.waiting or self._fleet.hungry or self._fleet.lacking:
            return self._fleet.rebalance(function, now, [])
        return ()

    def _ready_out_of_turn(
        self, environment: Environment, function: FunctionPool, now: float
    ) -> Commands:
        if environment.id in function.staged:
            self._fleet.wake_by(now + function.keep_alive_s)
            return ()
        current = environment.revision_id == function.revision_id
        reason = StopReason.EVICTED if current else StopReason.SUPERSEDED
        commands: list[Command] = [self._fleet.retire(environment, reason, Stop, now)]
        return self._fleet.rebalance(function, now, commands)

    def _environment_responded(self, event: EnvironmentResponded, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        environment.move(EnvironmentResponded, now)
        if environment.state is _State.STOPPING:
            return ()
        environment.invocation = None
        environment.served += 1
        function = self._functions[environment.function]
        function.active -= 1
        if function.active >= function.provisioned:
            function.share.used -= 1
        if environment.revision_id == function.revision_id:
            function.coming[environment.id] = environment
        if self._fleet.hungry:  # who counts on its next poll needs no memory any more
            return self._fleet.rebalance(function, now, [])
        return ()

    def _poll_lost(self, event: PollLost, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        environment.move(PollLost, now)
        function = self._functions[environment.function]
        if function.idle.pop(environment.id, None) is not None:
            function.coming[environment.id] = environment
        self._fleet.wake_by(now + limits.REPOLL_MAX_S)
        return ()

    def _environment_reset(self, event: EnvironmentReset, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        environment.move(EnvironmentReset, now)
        if environment.state is _State.STOPPING:
            return ()
        function = self._functions[environment.function]
        if environment.invocation is not None:
            environment.invocation = None
            self._fleet.end(function)
        environment.launched_for = None
        commands: list[Command] = []
        self._fleet.settle(environment, function, now, commands)
        return self._fleet.rebalance(function, now, commands)

    def _environment_failed(self, event: EnvironmentFailed, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        before = environment.state
        if before is _State.STOPPING:
            return ()
        function = self._functions[environment.function]
        invocation, cause = environment.invocation, FailCause.IN_FLIGHT
        if before in _STARTING and environment.revision_id == function.revision_id:
            invocation = function.casualty_of(environment, now)
            cause = FailCause.ENVIRONMENT_NOT_READY
        commands: list[Command] = [
            self._fleet.retire(environment, event.reason, EnvironmentFailed, now)
        ]
        environment.invocation = None
        if invocation is not None:
            commands.append(self._fleet.fail(function, invocation, cause, event.detail))
        return self._fleet.rebalance(function, now, commands)

    def _environment_stopped(self, event: EnvironmentStopped, now: float) -> Commands:
        environment = self._environments.get(event.environment_id)
        if environment is None:
            return ()
        environment.move(EnvironmentStopped, now)
        del self._environments[environment.id]
        self._fleet.memory.stopped(environment.charge_mb)
        function = self._functions[environment.function]
        function.stopping -= 1
        commands = self._fleet.rebalance(function, now, [])
        self._fleet.drop_if_empty(function)
        return commands

    def _shutdown(self, _event: Shutdown, now: float) -> Commands:
        return self._fleet.close(now)
