"""Performs what the pool decides: feeds it news, carries out commands, owns environments."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lambdash import limits
from lambdash.clock import Clock
from lambdash.emulator import failures
from lambdash.emulator.deadline import Deadline
from lambdash.emulator.delivery import Subscriber
from lambdash.emulator.environment import ExecutionEnvironment
from lambdash.emulator.flight import Flight
from lambdash.emulator.journal import JournalWriter
from lambdash.emulator.ledger import Ledger
from lambdash.emulator.listener import Explanation
from lambdash.emulator.log_stream import open_stream
from lambdash.emulator.logs import LogCapture, LogHub
from lambdash.emulator.sandboxes import Sandboxes
from lambdash.emulator.stages import Stages
from lambdash.emulator.variables import Place
from lambdash.engines.protocol import Engine, SandboxSpec
from lambdash.model import Outcome, Revision, Throttled
from lambdash.pool import (
    CallerGone,
    Command,
    Dispatch,
    DispatchFailed,
    EnvironmentFailed,
    EnvironmentLaunched,
    EnvironmentReset,
    EnvironmentStopped,
    Event,
    Fail,
    FunctionDeployed,
    FunctionRemoved,
    InvocationArrived,
    Launch,
    PollLost,
    Pool,
    Prewarm,
    RevisionStaged,
    Shutdown,
    Stop,
    StopReason,
    Throttle,
)
from lambdash.runtime_api.messages import InvocationMessage
from lambdash.runtime_api.platform_records import TIMEOUT
from lambdash.storage.functions import DeployedFunction
from lambdash.tasks import Tasks


@dataclass(frozen=True, slots=True)
class DriverParts:
    """What a driver is built from; ``spec`` finds the stored package of a revision."""

    pool: Pool
    engine: Engine
    place: Place
    clock: Clock
    journal: JournalWriter
    logs: LogHub
    tasks: Tasks
    spec: Callable[[Revision], SandboxSpec]


class Driver:
    """The shell around the pool. Implements ``environment.Listener``."""

    def __init__(self, parts: DriverParts) -> None:
        self._pool = parts.pool
        self._place = parts.place
        self._sandboxes = Sandboxes(
            parts.engine,
            parts.place,
            parts.spec,
            lambda one, why: self.failed(one, StopReason.CRASHED, why),
        )
        self._clock = parts.clock
        self._journal = parts.journal
        self._logs = parts.logs
        self._ledger = Ledger(parts.journal, parts.logs)
        self._tasks = parts.tasks
        self._now = parts.clock.monotonic
        self._revisions: dict[str, Revision] = {}
        self._serving: dict[str, str] = {}
        self._flights: dict[str, Flight] = {}
        self._news: deque[Event] = deque()
        self._feeding = False
        self._stages = Stages()
        self._wake = Deadline(asyncio.get_running_loop(), self._tick)
        self._perform: dict[type[object], Callable[..., None]] = {
            Dispatch: self._dispatch,
            Launch: self._launch,
            Stop: self._stop,
            Throttle: self._throttle,
            Fail: self._fail,
        }
        self.environments: dict[str, ExecutionEnvironment] = {}

    # -- what the emulator asks ----------------------------------------------------------------

    def deploy(self, deployed: DeployedFunction) -> None:
        """The function is served by this revision from now on; the old one drains."""
        revision, function = deployed.revision, deployed.function
        self._serving[revision.key] = revision.id
        self._know(revision)
        self._feed(
            FunctionDeployed(
                revision.key,
                revision.id,
                function.scaling,
                revision.configuration.memory_size_mb,
                None if revision.key == function.name else function.name,
            )
        )

    def remove(self, key: str) -> None:
        """The function, or a version of it, is gone; what is in flight is answered still."""
        self._feed(FunctionRemoved(key))

    def initialise(self, name: str) -> None:
        """See that one environment is there ahead of need, where limits and memory allow."""
        self._feed(Prewarm(name, 1))

    async def stage(self, deployed: DeployedFunction) -> None:
        """Initialise one environment of a revision that nobody is sent to yet.

        Returns when it is ready, or at once when there is no room for it. Raises ``FunctionError``
        (``init-failed``) or ``PlatformError`` when it cannot be made ready.
        """
        revision = deployed.revision
        self._know(revision)
        ready = self._stages.expect(revision.id)
        memory_mb = revision.configuration.memory_size_mb
        try:
            self._feed(RevisionStaged(revision.key, revision.id, memory_mb))
            if any(one.revision.id == revision.id for one in self.environments.values()):
                failures.raise_unless_ready(deployed, await ready)
        finally:
            self._stages.forget(revision.id)

    def invoke(self, flight: Flight) -> None:
        """Bring an invocation on its way; ``flight.done`` is called once, maybe at once."""
        invocation = flight.invocation
        self._flights[invocation.request_id] = flight
        self._feed(InvocationArrived(invocation.request_id, invocation.target.key, invocation.cold))

    def caller_gone(self, request_id: str) -> None:
        """Nobody waits for the answer: drop it from the queue; in flight it goes on."""
        self._feed(CallerGone(request_id))
        flight = self._flights.get(request_id)
        if flight is not None and flight.environment_id is None:
            del self._flights[request_id]

    def waiting(self, name: str) -> tuple[str, ...]:
        """The request ids in the function's queue, first in line first."""
        return self._pool.waiting(name)

    async def close(self) -> None:
        """Fail who waits, stop every environment, and return when all are gone."""
        self._feed(Shutdown())
        self._wake.close()
        await self._tasks.join()

    # -- the pool and its commands -------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        """Give news to the pool; what comes up while commands are performed waits its turn."""
        if self._feeding:
            self._news.append(event)
            return
        self._feeding = True
        try:
            self._carry_out(self._pool.handle(event, self._now()))
            while self._news:
                self._carry_out(self._pool.handle(self._news.popleft(), self._now()))
        finally:
            self._feeding = False
        self._wake.set(self._pool.next_deadline())

    def _tick(self) -> None:
        self._feeding = True
        try:
            self._carry_out(self._pool.tick(self._now()))
        finally:
            self._feeding = False
        while self._news:
            self._feed(self._news.popleft())
        self._wake.set(self._pool.next_deadline())

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._perform[type(command)](command)

    def _dispatch(self, command: Dispatch) -> None:
        environment = self.environments[command.environment_id]
        flight = self._flights[command.invocation_id]
        first = environment.served == 0
        flight.environment_id = environment.id
        flight.revision_id = environment.revision.id
        if not environment.dispatch(flight, self._message(environment, flight)):
            flight.environment_id = None
            self._feed(DispatchFailed(command.environment_id, command.invocation_id))
            return
        self._ledger.opened(flight)
        environment.served += 1
        if first:
            flight.waited_for(environment.marks)
            flight.init_ms = environment.life.init_ms
        else:
            flight.start = "warm"
        flight.sandbox_id = environment.sandbox.id if environment.sandbox is not None else None

    def _message(self, environment: ExecutionEnvironment, flight: Flight) -> InvocationMessage:
        timeout_s = environment.revision.configuration.timeout_s
        deadline_ms = int((self._clock.epoch() + timeout_s) * 1000)
        return flight.message(deadline_ms)

    def _launch(self, command: Launch) -> None:
        revision = self._revisions[command.revision_id]
        stream = open_stream(command, revision, self._place, self._clock.wall())
        self._journal.add_stream(stream.row())
        logs = LogCapture(stream, self._logs.publish, self._clock.epoch)
        identity = self._place.identity(revision.configuration)
        environment = ExecutionEnvironment(command.environment_id, revision, identity, logs, self)
        environment.initialization = command.initialization
        self.environments[environment.id] = environment
        environment.launching = self._tasks.spawn(
            self._start(environment), f"launch {environment.id}"
        )

    async def _start(self, environment: ExecutionEnvironment) -> None:
        if await self._sandboxes.launch(environment):
            self._feed(EnvironmentLaunched(environment.id))

    def _stop(self, command: Stop) -> None:
        environment = self.environments[command.environment_id]
        environment.close(failures.shutdown_reason(command.reason))
        self._unstage(environment.revision.id)
        self._tasks.spawn(self._end(environment), f"stop {environment.id}")

    async def _end(self, environment: ExecutionEnvironment) -> None:
        """Remove the sandbox, and tell the pool."""
        try:
            await self._sandboxes.stop(environment)
        finally:
            self.environments.pop(environment.id, None)
            self._feed(EnvironmentStopped(environment.id))

    def _throttle(self, command: Throttle) -> None:
        self._answer(command.invocation_id, Throttled(command.reason.value))

    def _fail(self, command: Fail) -> None:
        detail = command.detail
        if callable(detail):
            self._answer(command.invocation_id, detail(command.invocation_id))
        else:
            self._answer(command.invocation_id, failures.without_detail(command.cause))

    def _answer(self, request_id: str, outcome: Outcome) -> None:
        """Answer a caller that no runtime has answered."""
        flight = self._flights.pop(request_id, None)
        if flight is None:
            return
        if flight.timings.responded is None:
            flight.timings.responded = self._now()
        environment = self.environments.get(flight.environment_id or "")
        if environment is not None and environment.flight is flight:
            environment.take_flight()
        self._ledger.closed(flight, outcome)
        flight.done(flight.result(outcome))

    # -- environment.Listener ------------------------------------------------------------------

    def ready(self, environment: ExecutionEnvironment) -> None:
        """The runtime polls."""
        self._stages.settle(environment.revision.id, None)
        self._feed(environment.ready_event)

    def responded(self, environment: ExecutionEnvironment, flight: Flight) -> None:
        """Answer the caller first, then let the pool know."""
        outcome = flight.outcome
        assert outcome is not None
        del self._flights[flight.invocation.request_id]
        flight.done(flight.result(outcome))
        self._feed(environment.responded_event)

    def finished(self, flight: Flight) -> None:
        """The turn is over."""
        assert flight.outcome is not None
        self._ledger.closed(flight, flight.outcome)

    def poll_lost(self, environment: ExecutionEnvironment) -> None:
        """Nothing can be handed over until it polls again."""
        self._feed(PollLost(environment.id))

    def failed(
        self, environment: ExecutionEnvironment, reason: StopReason, explanation: Explanation
    ) -> None:
        """It can serve no more; whoever it had or promised gets the explanation."""
        if environment.id in self.environments and not environment.stopping:
            self._stages.settle(environment.revision.id, explanation(""))
            detail = partial(self._explain, environment, explanation)
            self._feed(EnvironmentFailed(environment.id, reason, detail))

    def _explain(
        self, environment: ExecutionEnvironment, explanation: Explanation, request_id: str
    ) -> Outcome:
        """Why an invocation ends with its environment, also one that only waited for it."""
        flight = self._flights.get(request_id)
        if flight is not None and flight.environment_id is None:
            environment.adopt(flight)
        return explanation(request_id)

    def overdue(self, environment: ExecutionEnvironment) -> None:
        """Past its time: the caller is answered, the runtime is started anew.

        An init phase over 10 s runs once more, under the function's own timeout, as on AWS; that of
        a provisioned environment has longer, and no second try.
        """
        timeout_s = environment.revision.configuration.timeout_s
        again = environment.resetting or environment.is_provisioned
        if not environment.initialised and not again:
            environment.deadline.set(self._now() + timeout_s)
            environment.life.init_ended(TIMEOUT)
            self._reset(environment)
            return
        if environment.resetting or not environment.initialised:
            environment.life.init_ended(TIMEOUT)
            explanation = partial(failures.timed_out, timeout_s=timeout_s)
            self.failed(environment, StopReason.TIMED_OUT, explanation)
            return
        flight = environment.take_flight()
        if flight is not None:
            request_id = flight.invocation.request_id
            self._answer(request_id, failures.timed_out(request_id, timeout_s))
        self._feed(EnvironmentReset(environment.id))
        if not environment.stopping:
            environment.deadline.set(self._now() + limits.INIT_MAX_S + timeout_s)
            self._reset(environment)

    def _reset(self, environment: ExecutionEnvironment) -> None:
        environment.begin_reset()
        self._tasks.spawn(self._sandboxes.reset(environment), f"reset {environment.id}")

    def extensions_registered(self, environment: ExecutionEnvironment) -> None:
        """Start the runtime, once the launch that started them has come back."""
        starting = self._sandboxes.start_runtime(environment)
        self._tasks.spawn(starting, f"start {environment.id}'s runtime")

    def subscribed(self, environment: ExecutionEnvironment, subscriber: Subscriber) -> None:
        """Run an extension's deliveries for as long as its environment lives."""
        delivering = self._sandboxes.deliver(environment, subscriber)
        self._tasks.spawn(delivering, f"telemetry of {environment.id}")

    # -- revisions -----------------------------------------------------------------------------

    def _know(self, revision: Revision) -> None:
        """Remember a revision; those that nothing can ask for any more are forgotten."""
        alive = {one.revision.id for one in self.environments.values()}
        alive.add(self._serving.get(revision.key, ""))
        self._revisions = {
            identity: known
            for identity, known in self._revisions.items()
            if known.key != revision.key or identity in alive
        } | {revision.id: revision}

    def _unstage(self, revision_id: str) -> None:
        """Nobody waits for a revision whose last environment is being stopped."""
        others = (one for one in self.environments.values() if not one.stopping)
        if not any(one.revision.id == revision_id for one in others):
            self._stages.settle(revision_id, None)
