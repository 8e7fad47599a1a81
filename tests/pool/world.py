"""A model of the world around the pool: a shell that performs its commands, and judges each one.

It keeps its own books (queues, environments, memory) and never looks into the pool's.
"""

import itertools
import math
from dataclasses import dataclass, field

from lambdash import limits
from lambdash.model import Scaling
from lambdash.pool import (
    CallerGone,
    Command,
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentState,
    EnvironmentStopped,
    Event,
    Fail,
    FailCause,
    FunctionDeployed,
    FunctionRemoved,
    InitializationType,
    InvocationArrived,
    Launch,
    Pool,
    PoolOptions,
    Prewarm,
    ProvisionedStatus,
    RevisionStaged,
    Shutdown,
    Stop,
    StopReason,
    Throttle,
    ThrottleReason,
)

State = EnvironmentState
GROUPS = {"a:1": "a"}  # the function of a key that is not its own
STARTING = {State.LAUNCHING, State.INITIALIZING}
PROVISIONED = InitializationType.PROVISIONED
FREE = {State.IDLE, State.RECONNECTING}


@dataclass
class Caller:
    """One invocation: ``order`` of arrival, and the environment launched for a cold one."""

    id: str
    function: str
    cold: bool
    order: int
    promised: str | None = None
    dispatched: int = 0
    answers: list[object] = field(default_factory=list)


@dataclass
class Place:
    """One environment of the world."""

    id: str
    function: str
    revision: str
    charge: int
    since: float
    launched_for: str | None
    state: State = State.LAUNCHING
    caller: Caller | None = None
    provisioned: bool = False
    served: int = 0
    idle_turn: int = 0


@dataclass
class Served:
    """One function as deployed; ``revision`` None once it is removed."""

    revision: str | None
    scaling: Scaling
    charge: int
    staged: str | None = None
    retry_at: float = -math.inf
    queue: list[Caller] = field(default_factory=list)

    @property
    def most(self) -> int:
        """Environments at a time."""
        scaling = self.scaling
        return max(scaling.max_environments, scaling.provisioned_concurrent_executions)

    @property
    def provisioned(self) -> int:
        return self.scaling.provisioned_concurrent_executions


@dataclass
class Allowance:
    """Requests a second that a function or the account may make, and what is left of them."""

    most: float
    left: float
    at: float

    def one(self, now: float) -> bool:
        self.left = min(self.most, self.left + (now - self.at) * self.most)
        self.at = now
        return self.left > 1 - 1e-9


class World:
    """Feeds events, performs commands, asserts on everything it sees."""

    def __init__(self, options: PoolOptions | None = None) -> None:
        self.options = options or PoolOptions()
        self.budget = (
            math.inf if self.options.memory_budget_mb is None else self.options.memory_budget_mb
        )
        self.pool = Pool(map("e{}".format, itertools.count(1)).__next__, self.options)
        self.now = 0.0
        self.callers: dict[str, Caller] = {}
        self.places: dict[str, Place] = {}
        self.functions: dict[str, Served] = {}
        self.reserved: dict[str, int | None] = {}
        most = 10.0 * self.options.concurrent_executions
        self.account_rate = Allowance(most, most, 0.0)
        self.rates: dict[str, Allowance] = {}
        self.turns = itertools.count(1)
        self.closed = False
        self.failing: Place | None = None

    # -- questions -----------------------------------------------------------------------------

    def live(self, name: str) -> list[Place]:
        gone = {State.STOPPING, State.STOPPED}
        return [p for p in self.places.values() if p.function == name and p.state not in gone]

    def is_staged(self, place: Place) -> bool:
        served = self.functions[place.function]
        return place.revision == served.staged and place.revision != served.revision

    def unstaged(self, name: str) -> list[Place]:
        return [place for place in self.live(name) if not self.is_staged(place)]

    def current(self, name: str) -> list[Place]:
        revision = self.functions[name].revision
        return [place for place in self.live(name) if place.revision == revision]

    def provided(self, name: str) -> list[Place]:
        return [place for place in self.current(name) if place.provisioned]

    def may_provision(self, name: str) -> bool:
        """One is missing, and nothing but slots and memory may be in the way."""
        served, provided = self.functions[name], self.provided(name)
        starting = sum(place.state in STARTING for place in provided)
        return (
            served.revision is not None
            and len(provided) < served.provisioned
            and starting < limits.PROVISIONING_AT_ONCE
            and self.now >= served.retry_at
            and not self.closed
        )

    def idle_on_demand(self, name: str) -> list[Place]:
        idle = [place for place in self.current(name) if place.state is State.IDLE]
        return [place for place in idle if not place.provisioned]

    def stopping(self, name: str) -> int:
        places = self.places.values()
        return sum(p.function == name and p.state is State.STOPPING for p in places)

    def used_mb(self, *, after_stops: bool = False) -> int:
        gone = {State.STOPPED} | ({State.STOPPING} if after_stops else set())
        return sum(place.charge for place in self.places.values() if place.state not in gone)

    def is_promised(self, place: Place) -> bool:
        caller = self.callers.get(place.launched_for or "")
        return caller is not None and caller.promised == place.id and self.waits(caller)

    def waits(self, caller: Caller) -> bool:
        return caller in self.functions[caller.function].queue

    def active(self, name: str) -> int:
        busy = sum(place.caller is not None for place in self.live(name))
        return busy + len(self.functions[name].queue)

    def keys(self, group: str) -> list[str]:
        """The keys of a function, less those removed."""
        deployed = [name for name, served in self.functions.items() if served.revision is not None]
        return [name for name in deployed if GROUPS.get(name, name) == group]

    def unreserved(self) -> int:
        reserved = [self.reserved[group] or 0 for group in self.reserved if self.keys(group)]
        return max(0, self.options.concurrent_executions - sum(reserved))

    def over_the_limit(self, name: str) -> ThrottleReason | None:
        """What throttles one invocation more of a deployed function, if anything."""
        group = GROUPS.get(name, name)
        reserved = self.reserved[group]
        if self.active(name) < self.functions[name].provisioned:
            return None
        if reserved is not None:
            claimed = sum(self.claimed(key) for key in self.keys(group))
            return ThrottleReason.RESERVED if claimed >= reserved else None
        keeping = [key for each in self.reserved if self.reserved[each] is not None
                   for key in self.keys(each)]  # fmt: skip
        claimed = sum(self.claimed(key) for key in self.functions if key not in keeping)
        return ThrottleReason.ACCOUNT if claimed >= self.unreserved() else None

    def over_the_rate(self, name: str) -> ThrottleReason | None:
        """What throttles an invocation that there is concurrency for; takes of the allowances."""
        if not self.options.aws_scaling:
            return None
        if not self.account_rate.one(self.now):
            return ThrottleReason.CALLER_RATE
        taken = [self.account_rate]
        reserved = self.reserved[GROUPS.get(name, name)]
        if reserved is not None:
            most = 10.0 * reserved
            new = Allowance(most, most, self.now)
            own = self.rates.setdefault(GROUPS.get(name, name), new)
            if own.most != most:
                own.one(self.now)
                own.most, own.left = most, min(own.left, most)
            if not own.one(self.now):
                return ThrottleReason.RESERVED_RATE
            taken.append(own)
        for allowance in taken:
            allowance.left -= 1
        return None

    def claimed(self, name: str) -> int:
        """What a key takes of its share: what runs there, and what is set aside for it."""
        served = self.functions[name]
        set_aside = 0 if served.revision is None else served.provisioned
        return max(self.active(name), set_aside)

    def has_slot(self, name: str) -> bool:
        live, most = len(self.unstaged(name)), self.functions[name].most
        return live < most and live + self.stopping(name) < 2 * most

    def coming(self, name: str) -> int:
        """Idle or soon to be, for anyone."""
        found = 0
        for place in self.current(name):
            if place.state is State.IDLE:
                found += 1
            elif place.state in STARTING:
                found += not self.is_promised(place) and not place.provisioned
            elif place.state is not State.INVOKING:
                found += self.now < place.since + limits.REPOLL_GRACE_S
        return found

    def in_want(self, name: str) -> Caller | None:
        """The first in line without an environment idle or coming."""
        coming = self.coming(name)
        for caller in self.functions[name].queue:
            if caller.cold and caller.promised is None:
                return caller
            if not caller.cold:
                coming -= 1
                if coming < 0:
                    return caller
        return None

    # -- events --------------------------------------------------------------------------------

    def feed(self, event: Event) -> list[Command]:
        commands = list(self.pool.handle(event, self.now))
        for command in commands:
            self._perform(command)
        return commands

    def advance(self, seconds: float) -> None:
        """Time passes; the timer goes off as often as it is due."""
        end = self.now + seconds
        while (due := self.pool.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            for command in self.pool.tick(self.now):
                self._perform(command)
            after = self.pool.next_deadline()
            assert after is None or after > self.now, "a timer that never comes to rest"
        self.now = end

    def deploy(self, name: str, revision: str, memory: int, scaling: Scaling) -> None:
        served = self.functions.get(name)
        charge = int(min(memory, self.budget))
        if served is None:
            served = self.functions[name] = Served(None, scaling, charge)
        served.scaling, served.retry_at = scaling, -math.inf
        if served.revision != revision:
            served.revision, served.charge, served.staged = revision, charge, None
        if name not in GROUPS:
            self.reserved[name] = scaling.reserved_concurrent_executions
        else:
            self.reserved.setdefault(GROUPS[name], None)
        event = FunctionDeployed(name, revision, scaling, memory, GROUPS.get(name))
        commands = self.feed(event)
        self.advance(0)
        stops = [c for c in commands if isinstance(c, Stop)]
        for stop in stops:
            assert stop.reason in {StopReason.SUPERSEDED, StopReason.EVICTED}
        for place in self.live(name):
            busy = place.state in {State.INVOKING, State.RESPONDED}
            known = place.revision == revision or self.is_staged(place)
            assert busy or known, f"{place} outlived its revision"

    def stage(self, name: str, revision: str, memory: int) -> None:
        served = self.functions[name]
        if served.revision is None or served.revision == revision or self.closed:
            assert self.feed(RevisionStaged(name, revision, memory)) == []
            return
        replaced = [place.id for place in self.live(name) if self.is_staged(place)]
        served.staged = revision
        commands = list(self.pool.handle(RevisionStaged(name, revision, memory), self.now))
        launches = [command for command in commands if isinstance(command, Launch)]
        stops = [command.environment_id for command in commands if isinstance(command, Stop)]
        assert stops == replaced
        assert len(launches) <= 1
        kind = PROVISIONED if served.provisioned else InitializationType.ON_DEMAND
        assert all(launch.initialization is kind for launch in launches)
        for command in commands:
            self._perform(command, staged_mb=int(min(memory, self.budget)))

    def remove(self, name: str) -> None:
        served = self.functions[name]
        served.revision, served.staged = None, None
        if not self.keys(GROUPS.get(name, name)):
            self.reserved[GROUPS.get(name, name)] = None
            self.rates.pop(GROUPS.get(name, name), None)
        self.feed(FunctionRemoved(name))
        assert not served.queue

    def arrive(self, name: str, *, cold: bool = False) -> str:
        served = self.functions[name]
        number = len(self.callers) + 1
        caller = self.callers[f"i{number}"] = Caller(f"i{number}", name, cold, number)
        expected: object = None
        idle = any(place.state is State.IDLE for place in self.current(name))
        if self.closed:
            expected = FailCause.SHUTDOWN
        elif served.revision is None:
            expected = FailCause.FUNCTION_REMOVED
        elif reason := self.over_the_limit(name) or self.over_the_rate(name):
            expected = reason
        elif len(served.queue) >= self.options.queue_max_invocations and (cold or not idle):
            expected = ThrottleReason.QUEUE_FULL
        if expected is None:
            served.queue.append(caller)
        self.feed(InvocationArrived(caller.id, name, cold))
        if expected is not None:
            assert caller.answers == [expected]
        else:
            assert not caller.answers, "refused though there was room"
        return caller.id

    def leave(self, caller: Caller) -> None:
        queue = self.functions[caller.function].queue
        if caller in queue:
            queue.remove(caller)
            caller.answers.append("gone")
        self.feed(CallerGone(caller.id))

    def launched(self, place: Place) -> None:
        if place.state is State.LAUNCHING:
            self._enter(place, State.INITIALIZING)
        assert self.feed(EnvironmentLaunched(place.id)) == []

    def ready(self, place: Place) -> None:
        if place.state is not State.IDLE:
            self._enter(place, State.IDLE)
            place.idle_turn = next(self.turns)
        stale = place.revision != self.functions[place.function].revision
        stale = stale and not self.is_staged(place)
        self.feed(EnvironmentReady(place.id))
        assert not stale or place.state is State.STOPPING, "an old revision stays"

    def respond(self, place: Place) -> None:
        assert place.caller is not None
        place.caller.answers.append("response")
        place.caller = None
        place.served += 1
        self._enter(place, State.RESPONDED)
        commands = self.feed(EnvironmentResponded(place.id))
        assert not any(isinstance(command, Dispatch) for command in commands)

    def reset(self, place: Place) -> None:
        if place.caller is not None:
            place.caller.answers.append("timed out")
            place.caller = None
        self._enter(place, State.INITIALIZING)
        place.launched_for = None
        self.feed(EnvironmentReset(place.id))

    def hand_over_fails(self, place: Place) -> None:
        caller = place.caller
        assert caller is not None
        place.caller = None
        self._enter(place, State.RECONNECTING)
        removed = self.functions[place.function].revision is None
        exhausted = caller.dispatched > limits.REDISPATCHES_MAX
        if not removed and not exhausted:
            caller.promised = None
            queue = self.functions[place.function].queue
            caller.order = min([caller.order, *(queue[0].order - 1 for _ in queue[:1])])
            queue.insert(0, caller)
        self.feed(DispatchFailed(place.id, caller.id))
        expected = FailCause.FUNCTION_REMOVED if removed else FailCause.REDISPATCHES_EXHAUSTED
        assert caller.answers == ([expected] if removed or exhausted else [])

    def fail(self, place: Place, reason: StopReason = StopReason.CRASHED) -> None:
        """Anything goes wrong with it, at any time."""
        waiting_for = self.callers.get(place.launched_for or "")
        victim = place.caller
        is_current = place.revision == self.functions[place.function].revision
        is_awaited = waiting_for is not None and self.waits(waiting_for)
        if place.state in STARTING and is_current and is_awaited:
            victim = waiting_for
        before = {caller.id for caller in self.callers.values() if caller.answers}
        was_starting = place.state in STARTING
        self.failing = place
        commands = self.feed(EnvironmentFailed(place.id, reason, ("why", place.id)))
        self.failing = None
        assert commands[0] == Stop(place.id, reason)
        place.caller = None
        answered = {caller.id for caller in self.callers.values() if caller.answers} - before
        assert victim is None or answered == {victim.id}, "a failure fails its own caller only"
        may_answer = victim is not None or (was_starting and not place.provisioned)
        assert len(answered) <= may_answer

    def stopped(self, place: Place) -> None:
        place.state = State.STOPPED
        self.feed(EnvironmentStopped(place.id))

    def prewarm(self, name: str, count: int) -> None:
        served = self.functions[name]
        before = len(self.current(name))
        commands = self.feed(Prewarm(name, count))
        assert all(isinstance(c, Launch) and c.for_invocation is None for c in commands)
        if commands:
            assert len(self.current(name)) <= min(before + count, served.most)

    def shut_down(self) -> None:
        self.closed = True
        self.feed(Shutdown())
        left = [place for name in self.functions for place in self.live(name)]
        assert not left, f"{left} outlive the end"
        assert all(len(caller.answers) == 1 for caller in self.callers.values())

    # -- commands ------------------------------------------------------------------------------

    def _enter(self, place: Place, state: State) -> None:
        if place.state is not state:
            place.state, place.since = state, self.now

    def _perform(self, command: Command, staged_mb: int | None = None) -> None:
        match command:
            case Dispatch():
                self._dispatch(self.places[command.environment_id], command.invocation_id)
            case Launch():
                self._launch(command, staged_mb)
            case Stop():
                self._stop(self.places[command.environment_id], command.reason)
            case Throttle():
                self._answer(self.callers[command.invocation_id], command.reason)
            case Fail():
                caller = self.callers[command.invocation_id]
                if command.cause in {FailCause.IN_FLIGHT, FailCause.ENVIRONMENT_NOT_READY}:
                    assert self.failing is not None
                    assert command.detail == ("why", self.failing.id)
                    assert caller.function == self.failing.function
                self._answer(caller, command.cause)

    def _answer(self, caller: Caller, answer: object) -> None:
        assert not caller.answers, f"{caller} is answered twice"
        caller.answers.append(answer)
        queue = self.functions[caller.function].queue
        if caller in queue:
            queue.remove(caller)

    def _dispatch(self, place: Place, invocation_id: str) -> None:
        served, caller = self.functions[place.function], self.callers[invocation_id]
        assert not caller.answers, "dispatched though answered"
        assert caller in served.queue
        assert caller.function == place.function
        assert place.state is State.IDLE
        assert place.caller is None, "two invocations in one environment"
        assert place.revision == served.revision, "stale code"
        idle = [each for each in self.current(place.function) if each.state is State.IDLE]
        best = max(idle, key=lambda each: (each.provisioned, each.idle_turn))
        assert caller.cold or place is best, "not provisioned, or not most recently used"
        if caller.cold:
            assert place.launched_for == caller.id
            assert place.served == 0, "cold, but used before"
        else:
            assert not self.is_promised(place), "launched for another alone"
            assert caller is next(each for each in served.queue if not each.cold), "out of turn"
        served.queue.remove(caller)
        caller.dispatched += 1
        place.caller = caller
        self._enter(place, State.INVOKING)

    def _launch(self, command: Launch, staged_mb: int | None) -> None:
        name, served = command.function, self.functions[command.function]
        assert command.environment_id not in self.places
        charge = served.charge if staged_mb is None else staged_mb
        caller = self.callers.get(command.for_invocation or "")
        provisioned = command.initialization is PROVISIONED
        if staged_mb is not None:
            assert command.revision_id == served.staged
        else:
            assert not provisioned or (self.may_provision(name) and caller is None)
            assert command.revision_id == served.revision
            assert self.has_slot(name), "more environments than max_environments"
        if caller is not None:
            assert caller in served.queue
            ordinary = sum(not each.cold for each in served.queue)
            if caller.cold:
                assert caller.promised is None
                caller.promised = command.environment_id
            else:
                assert self.coming(name) < ordinary, "more launched than wait"
        assert self.used_mb() + charge <= self.budget, "over the memory budget"
        self.places[command.environment_id] = Place(
            command.environment_id, name, command.revision_id, charge, self.now,
            command.for_invocation, provisioned=provisioned,
        )  # fmt: skip

    def _stop(self, place: Place, reason: StopReason) -> None:
        served = self.functions[place.function]
        assert place.state not in {State.STOPPING, State.STOPPED}, "stopped twice"
        match reason:
            case StopReason.IDLE:
                assert place.state is State.IDLE
                assert not place.provisioned or self.is_staged(place)
                assert self.now >= place.since + served.scaling.keep_alive_s
            case StopReason.EVICTED:
                assert place.state in FREE, "evicted at work"
                surplus = len(self.provided(place.function)) > served.provisioned
                if place.provisioned and not surplus:
                    assert not self.idle_on_demand(place.function), "not the least missed"
            case StopReason.SUPERSEDED:
                assert place.revision != served.revision
                assert place.state not in {State.INVOKING, State.RESPONDED}
            case StopReason.SHUTDOWN:
                assert self.closed
                place.caller = None
            case _:
                lost = place.state is State.RECONNECTING
                lost = lost and self.now >= place.since + limits.REPOLL_MAX_S
                assert place is self.failing or lost
                used = place.served or place.caller is not None
                if place.provisioned and not used and place.revision == served.revision:
                    served.retry_at = self.now + limits.PROVISIONING_RETRY_S
        if (caller := self.callers.get(place.launched_for or "")) and caller.promised == place.id:
            caller.promised = None
        self._enter(place, State.STOPPING)

    # -- what always holds ---------------------------------------------------------------------

    def check(self) -> None:
        for name, served in self.functions.items():
            self._check_function(name, served)
        alive = [p for p in self.places.values() if p.state is not State.STOPPED]
        told = [(e.id, e.function, e.revision_id, e.state, e.since, e.served, e.provisioned)
                for e in self.pool.environments()]  # fmt: skip
        assert told == [(p.id, p.function, p.revision, p.state, p.since, p.served, p.provisioned)
                        for p in alive]  # fmt: skip
        assert self.pool.active == sum(self.active(name) for name in self.functions)
        assert self.pool.account.unreserved_concurrent_executions == self.unreserved()
        assert self.used_mb() <= self.budget
        for caller in self.callers.values():
            owned = self.waits(caller) or any(p.caller is caller for p in alive)
            assert len(caller.answers) + owned == 1, f"{caller} is lost or doubled"
        due = self.pool.next_deadline()
        assert due is None or due > self.now
        self._check_nobody_waits_needlessly()
        if not any(self.in_want(name) and self.has_slot(name) for name in self.functions):
            for name in filter(self.may_provision, self.functions):
                self._check_nothing_more_to_provision(name)

    def _check_function(self, name: str, served: Served) -> None:
        most = served.most
        assert self.pool.waiting(name) == tuple(caller.id for caller in served.queue)
        ordinary = [caller for caller in served.queue if not caller.cold]
        idle = [place for place in self.current(name) if place.state is State.IDLE]
        assert not (ordinary and idle), "waits beside an idle environment"
        for place in self.idle_on_demand(name):
            assert self.now < place.since + served.scaling.keep_alive_s, "kept too long"
            assert len(self.current(name)) <= most, "idle above the maximum"
        idle_provisioned = any(place.provisioned for place in idle)
        assert not idle_provisioned or len(self.provided(name)) <= served.provisioned
        self._check_told(name, served)

    def _check_told(self, name: str, served: Served) -> None:
        told = self.pool.provisioned(name)
        if served.revision is None or not served.provisioned or self.closed:
            assert told is None
            return
        ready = sum(place.state not in STARTING for place in self.provided(name))
        ready = min(ready, served.provisioned)  # a smaller number holds when the busy come free
        assert told is not None
        assert (told.requested, told.allocated, told.available) == (
            served.provisioned,
            ready,
            ready,
        )
        assert (told.status is ProvisionedStatus.READY) == (ready == served.provisioned)
        assert (told.status is ProvisionedStatus.FAILED) == (told.failure is not None)

    def _check_nothing_more_to_provision(self, name: str) -> None:
        served = self.functions[name]
        if not self.has_slot(name):
            live = len(self.unstaged(name))
            stuck = live > served.most or live + self.stopping(name) >= 2 * served.most
            assert stuck or not self.idle_on_demand(name), "no room made for one provisioned"
            return
        assert self.used_mb() + served.charge > self.budget, f"{name} lacks one provisioned"
        if self.used_mb(after_stops=True) + served.charge > self.budget:
            idle = [place for each in self.functions for place in self.idle_on_demand(each)]
            assert not idle, f"{name} lacks one provisioned beside idle memory"

    def _check_nobody_waits_needlessly(self) -> None:
        wants = [(caller.order, name) for name in self.functions if (caller := self.in_want(name))]
        wants = [(order, name) for order, name in wants if self.has_slot(name)]
        if not wants:
            return
        _, name = min(wants)
        charge = self.functions[name].charge
        assert self.used_mb() + charge > self.budget, f"{name} waits though there is room"
        if self.used_mb(after_stops=True) + charge > self.budget:
            others = [p for p in self.places.values() if p.function != name and p.state in FREE]
            others = [place for place in others if not self.is_staged(place)]
            current = [p for p in others if p.revision == self.functions[p.function].revision]
            assert not current, f"{name} waits beside idle memory of others"

    def come_to_rest(self) -> None:
        """Everyone does what is owed, nothing new comes: nobody may be left waiting."""
        for _ in range(10 * (len(self.callers) + len(self.places)) + 10):
            for place in list(self.places.values()):
                match place.state:
                    case State.STOPPING:
                        self.stopped(place)
                    case State.INVOKING:
                        self.respond(place)
                    case State.IDLE | State.STOPPED:
                        continue
                    case _:
                        self.ready(place)
                self.check()
            if all(caller.answers for caller in self.callers.values()):
                return
            staged = any(self.is_staged(p) for name in self.functions for p in self.live(name))
            self.advance(limits.KEEP_ALIVE_DEFAULT_S if staged else limits.REPOLL_GRACE_S)
        waiting = [caller for caller in self.callers.values() if not caller.answers]
        raise AssertionError(f"wedged: {waiting} wait for ever; {self.pool.environments()}")
