"""Any order of events, with races and late news, against a model of the world."""

import os

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdash.model import Scaling
from lambdash.pool import (
    CallerGone,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReady,
    EnvironmentReset,
    EnvironmentResponded,
    EnvironmentStopped,
    PollLost,
    PoolOptions,
    StopReason,
)
from tests.pool.world import FREE, STARTING, Place, State, World

NAMES = ("a", "a:1", "b", "c")  # `a:1` is a version of `a`
MEMORY_MB = {0: 128, 1: 300, 2: 1024}
scalings = st.builds(
    Scaling,
    max_environments=st.integers(1, 3),
    reserved_concurrent_executions=st.one_of(st.none(), st.none(), st.integers(0, 5)),
    provisioned_concurrent_executions=st.sampled_from([0, 0, 1, 2, 6]),
    keep_alive_s=st.sampled_from([1.0, 600.0]),
)
names = st.sampled_from(NAMES)
anything = st.integers(0, 1_000_000)


class PoolMachine(RuleBasedStateMachine):
    world: World

    @initialize(
        budget=st.sampled_from([None, None, 300, 512]),
        account=st.sampled_from([1000, 1000, 6, 9]),
        queue=st.sampled_from([1000, 3]),
        aws=st.sampled_from([False, False, True]),
        first=scalings,
    )
    def start(
        self,
        budget: int | None,
        account: int,
        queue: int,
        aws: bool,
        first: Scaling,
    ) -> None:
        self.world = World(PoolOptions(account, budget, queue, aws))
        self.revisions = 0
        for name in NAMES:
            self.deploy_new(name, first, 128)

    def deploy_new(self, name: str, scaling: Scaling, memory: int) -> None:
        self.revisions += 1
        self.world.deploy(name, f"r{self.revisions}", memory, scaling)

    def some(self, pick: int, *states: State) -> Place | None:
        found = [place for place in self.world.places.values() if place.state in states]
        return found[pick % len(found)] if found else None

    @rule(name=names, times=st.integers(1, 4))
    def arrive(self, name: str, times: int) -> None:
        for _ in range(times):
            self.world.arrive(name)

    @rule(name=names)
    def arrive_cold(self, name: str) -> None:
        self.world.arrive(name, cold=True)

    @rule(pick=anything)
    def leave(self, pick: int) -> None:
        callers = list(self.world.callers.values())
        if callers:
            self.world.leave(callers[-(pick % min(len(callers), 6)) - 1])

    @rule(pick=anything)
    def launched(self, pick: int) -> None:
        busy = set(State) - {State.STOPPING, State.STOPPED}
        if place := self.some(pick, *busy):
            self.world.launched(place)

    @rule(pick=anything)
    def ready(self, pick: int) -> None:
        if place := self.some(pick, *STARTING, State.RESPONDED):
            self.world.ready(place)

    @rule(pick=anything)
    def poll_again(self, pick: int) -> None:
        if place := self.some(pick, *FREE):
            self.world.ready(place)

    @rule()
    def all_ready(self) -> None:
        for place in list(self.world.places.values()):
            if place.state in STARTING or place.state is State.RESPONDED:
                self.world.ready(place)

    @rule(name=names)
    def all_turn(self, name: str) -> None:
        for place in list(self.world.current(name)):
            if place.state is State.INVOKING:
                self.world.respond(place)
                self.world.ready(place)

    @rule(pick=anything)
    def respond(self, pick: int) -> None:
        if place := self.some(pick, State.INVOKING):
            self.world.respond(place)

    @rule(pick=anything)
    def lose_poll(self, pick: int) -> None:
        if place := self.some(pick, State.IDLE):
            place.state, place.since = State.RECONNECTING, self.world.now
            assert self.world.feed(PollLost(place.id)) == []

    @rule(pick=anything)
    def hand_over_fails(self, pick: int) -> None:
        if place := self.some(pick, State.INVOKING):
            self.world.hand_over_fails(place)

    @rule(pick=anything)
    def deadline_passes(self, pick: int) -> None:
        if place := self.some(pick, State.INVOKING, State.RESPONDED):
            self.world.reset(place)

    @rule(pick=anything, reason=st.sampled_from(StopReason))
    def fail(self, pick: int, reason: StopReason) -> None:
        reasons = {StopReason.TIMED_OUT, StopReason.INIT_FAILED, StopReason.OUT_OF_MEMORY}
        busy = set(State) - {State.STOPPING, State.STOPPED}
        if place := self.some(pick, *busy):
            self.world.fail(place, reason if reason in reasons else StopReason.CRASHED)

    @rule(pick=anything)
    def stopped(self, pick: int) -> None:
        if place := self.some(pick, State.STOPPING):
            self.world.stopped(place)

    @rule(pick=anything)
    def late_news(self, pick: int) -> None:
        """What raced with a stop: swallowed, and nobody is answered or dispatched by it."""
        place = self.some(pick, State.STOPPING, State.STOPPED)
        if place is None:
            return
        news = [
            EnvironmentLaunched(place.id),
            EnvironmentReady(place.id),
            EnvironmentResponded(place.id),
            PollLost(place.id),
            DispatchFailed(place.id, "i1"),
            EnvironmentReset(place.id),
            EnvironmentFailed(place.id, StopReason.CRASHED),
        ]
        for event in news:
            assert list(self.world.pool.handle(event, self.world.now)) == []
        if place.state is State.STOPPED:
            again = EnvironmentStopped(place.id)
            assert list(self.world.pool.handle(again, self.world.now)) == []
        assert list(self.world.pool.handle(CallerGone("nobody"), self.world.now)) == []

    @rule(name=names, scaling=scalings, memory=st.sampled_from(sorted(MEMORY_MB.values())))
    def deploy(self, name: str, scaling: Scaling, memory: int) -> None:
        self.deploy_new(name, scaling, memory)

    @rule(name=names, scaling=scalings)
    def rescale(self, name: str, scaling: Scaling) -> None:
        served = self.world.functions[name]
        if served.revision is not None:
            self.world.deploy(name, served.revision, served.charge, scaling)

    @rule(name=names, memory=st.sampled_from(sorted(MEMORY_MB.values())))
    def stage(self, name: str, memory: int) -> None:
        self.revisions += 1
        self.world.stage(name, f"r{self.revisions}", memory)

    @rule(name=names, scaling=scalings)
    def switch_to_staged(self, name: str, scaling: Scaling) -> None:
        served = self.world.functions[name]
        staged = [p for p in self.world.live(name) if self.world.is_staged(p)]
        if served.staged is not None and staged:
            self.world.deploy(name, served.staged, staged[0].charge, scaling)
            assert self.world.functions[name].revision == staged[0].revision

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.world.remove(name)

    @rule(name=names, count=st.integers(0, 4))
    def prewarm(self, name: str, count: int) -> None:
        self.world.prewarm(name, count)

    @precondition(lambda self: self.world.pool.next_deadline() is not None)
    @rule()
    def jump_to_next_deadline(self) -> None:
        due = self.world.pool.next_deadline()
        assert due is not None
        self.world.advance(due - self.world.now)

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 5.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        if self.revisions % 3 == 0:
            self.world.shut_down()
        else:
            self.world.come_to_rest()
        self.world.check()


# tests/mutants/run.py asks whether it fails, not for the smallest example
PHASES = tuple(Phase) if os.environ.get("LAMBDASH_POOL_SHRINK") != "no" else (Phase.generate,)
PoolMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("LAMBDASH_POOL_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    phases=PHASES,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestPoolMachine = PoolMachine.TestCase
