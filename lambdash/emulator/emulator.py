"""The facade of the shell: functions, invocations, logs and the journal of one project."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lambdash import limits, locations
from lambdash.clock import Clock, SystemClock
from lambdash.emulator.asynchronous.destinations import Destinations
from lambdash.emulator.asynchronous.queue import AttemptEnded, EventQueue, QueueParts
from lambdash.emulator.asynchronous.settings import settings_of
from lambdash.emulator.deploy import Deployer, Workshop, spec_of
from lambdash.emulator.driver import Driver, DriverParts
from lambdash.emulator.flight import Flight
from lambdash.emulator.journal import JournalWriter
from lambdash.emulator.lifecycle import Lifecycle, LifecycleParts
from lambdash.emulator.logs import LogHub
from lambdash.emulator.mappings import EventSourceMappings
from lambdash.emulator.registry import Registry
from lambdash.emulator.restoring import restore_packages
from lambdash.emulator.result import Done, InvocationOptions, InvocationResult
from lambdash.emulator.tracing import completed, lineage
from lambdash.emulator.variables import Place
from lambdash.engines.protocol import Engine, PullPolicy
from lambdash.errors import CallerError, PlatformError
from lambdash.messaging.sqs.service import SqsService
from lambdash.model import Invocation, Timings
from lambdash.model.arn import LATEST
from lambdash.model.event import AsynchronousEvent, EventInvokeSettings
from lambdash.pool import (
    AccountConcurrency,
    EnvironmentView,
    Pool,
    PoolOptions,
    ProvisionedConcurrency,
)
from lambdash.storage.archives import ArchiveStore
from lambdash.storage.events import EventStore, Written
from lambdash.storage.functions import DeployedFunction
from lambdash.storage.journal import Journal
from lambdash.storage.records import RecordStore
from lambdash.tasks import Tasks


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """Where the project pretends to be, where its state lies, and the daemon's own limits.

    ``seed`` makes request ids and the choices of weighted aliases the same in every run;
    ``time_scale`` multiplies the waits of asynchronous invocation.
    """

    state_dir: Path
    place: Place = field(default_factory=Place)
    pool: PoolOptions = field(default_factory=PoolOptions)
    seed: int | None = None
    time_scale: float = 1.0


class Emulator:
    """AWS Lambda for one project. Belongs to the event loop that it was made on."""

    def __init__(
        self,
        engine: Engine,
        workshop: Workshop,
        options: EmulatorOptions,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._clock = clock
        self._tasks = Tasks()
        # ids must be unique, not secret: no system call on the warm path
        self._random = random.Random(options.seed)  # noqa: S311
        store = RecordStore(options.state_dir / "registry.sqlite")
        self.registry = Registry(store, options.place, self._random)
        self.archives = ArchiveStore(options.state_dir / "archives")
        self._pool = Pool(lambda: uuid.uuid4().hex[:12], options.pool)
        self.place = options.place
        self.journal = JournalWriter(Journal(options.state_dir / locations.JOURNAL_NAME))
        self.logs = LogHub(self.journal.add_line)
        spec = partial(spec_of, workshop.store, pull=PullPolicy.MISSING)
        parts = DriverParts(
            pool=self._pool,
            engine=engine,
            place=options.place,
            clock=clock,
            journal=self.journal,
            logs=self.logs,
            tasks=self._tasks,
            spec=spec,
        )
        self.driver = Driver(parts)
        self.lifecycle = Lifecycle(
            LifecycleParts(
                registry=self.registry,
                driver=self.driver,
                engine=engine,
                place=options.place,
                clock=clock,
                spec=spec,
            )
        )
        self.deployer = Deployer(workshop, engine, self.lifecycle, self.driver)
        self.workshop = workshop
        self.engine = engine
        self._time_scale = options.time_scale
        self.queues = SqsService(
            options.state_dir / "queues.sqlite", clock, self.place.region, self.place.account_id
        )
        self.events = EventQueue(
            QueueParts(
                store=EventStore(options.state_dir / "events.sqlite"),
                clock=clock,
                tasks=self._tasks,
                invoke=self._invoke_event,
                settings=self._event_settings,
                function_arn=self._qualified_arn,
                deliver=Destinations(self.queues, self._accept_record).deliver,
            )
        )
        self.mappings = EventSourceMappings(self.registry, clock)
        self._closing = False
        self._last_used: dict[str, float] = {}

    async def start(self) -> None:
        """Take up the packages, events and move tasks that an earlier daemon left."""
        store = self.workshop.store
        await asyncio.to_thread(restore_packages, self.registry, self.archives, store)
        await self.queues.start()
        await self.events.start()

    @property
    def functions(self) -> Mapping[str, DeployedFunction]:
        """What is deployed, by name."""
        return self.registry.deployed

    @property
    def closing(self) -> bool:
        """Whether the end has begun: nothing new is taken."""
        return self._closing

    def begin_closing(self) -> None:
        """Take nothing new from here on; ``close`` ends what goes on."""
        self._closing = True
        self.events.begin_closing()

    @property
    def busy(self) -> bool:
        """Whether an invocation or an asynchronous event waits or is in flight."""
        return self._pool.active > 0 or self.events.waiting > 0

    @property
    def account(self) -> AccountConcurrency:
        """The concurrency of the account, and what of it no function has reserved."""
        return self._pool.account

    def provisioned(self, key: str) -> ProvisionedConcurrency | None:
        """What is provisioned for a version, by its pool key; None where nothing is asked for."""
        return self._pool.provisioned(key)

    def new_request_id(self) -> str:
        """A fresh request id, shaped as AWS's."""
        digits = f"{self._random.getrandbits(128):032x}"
        head, tail = digits[:12], digits[20:]
        return f"{head[:8]}-{head[8:]}-4{digits[13:16]}-a{digits[17:20]}-{tail}"

    def invoke(self, name: str, payload: bytes, options: InvocationOptions, done: Done) -> None:
        """Run a deployed function once; ``done`` gets the result, maybe before this returns.

        Raises ``CallerError`` (``function-not-found``) when it is not deployed.
        """
        target = self.registry.target(name, options.qualifier)
        if target is None:
            raise CallerError(
                "function-not-found",
                f"function `{name}` is not deployed"
                if options.qualifier is None
                else f"function `{name}` has no version or alias `{options.qualifier}`",
                "`lambdash deploy` deploys what the manifest has",
            )
        # side by side: the log's order is made of both
        now, at = self._clock.monotonic(), self._clock.epoch()
        timings = options.timings or Timings(received=now)
        timings.resolved = timings.resolved or now
        invocation = Invocation(
            request_id=options.request_id,
            target=target,
            payload=payload,
            trace_id=self._trace_id(name, options.trace_id),
            client_context=options.client_context,
            cognito_identity=options.cognito_identity,
            tail=options.tail,
            cold=options.cold,
        )
        self._last_used[name] = now
        arrived = timings.received or now
        flight = Flight(invocation, done, timings, at - (now - arrived))
        flight.sink = options.sink
        self.driver.invoke(flight)

    def invoke_later(
        self, name: str, payload: bytes, options: InvocationOptions, written: Written
    ) -> None:
        """Accept an event (``InvocationType: Event``); ``written`` once it is on disk.

        Raises ``CallerError`` (``queue-full``). The function is known to be there.
        """
        now = self._clock.epoch()
        event = AsynchronousEvent(
            request_id=options.request_id,
            function_name=name,
            qualifier=options.qualifier,
            payload=payload,
            accepted_at=now,
            due_at=now,
            trace_id=self._trace_id(name, options.trace_id),
            client_context=options.client_context,
        )
        self.events.accept(event, written)

    async def accept(self, name: str, qualifier: str | None, payload: bytes) -> str:
        """The same, awaited: the request id of an event that is on disk.

        Raises ``CallerError`` (``queue-full``, ``event-too-large``) and ``PlatformError``.
        """
        if len(payload) > limits.ASYNC_PAYLOAD_MAX_BYTES:
            raise CallerError(
                "event-too-large",
                f"an event of {len(payload)} bytes is too large",
                f"AWS takes {limits.ASYNC_PAYLOAD_MAX_BYTES} bytes for an asynchronous invocation",
            )
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def written(error: BaseException | None) -> None:
            if kept.cancelled():
                return
            if error is None:
                kept.set_result(None)
            else:
                kept.set_exception(error)

        options = InvocationOptions(request_id=self.new_request_id(), qualifier=qualifier)
        self.invoke_later(name, payload, options, written)
        await kept
        return options.request_id

    def caller_gone(self, request_id: str) -> None:
        """Nobody waits for this invocation's answer any more."""
        self.driver.caller_gone(request_id)

    def used_lately(self, name: str, within_s: float) -> bool:
        """Whether the function was invoked in the last so many seconds."""
        last = self._last_used.get(name)
        return last is not None and self._clock.monotonic() - last < within_s

    def environments(self) -> tuple[EnvironmentView, ...]:
        """Every environment that has not stopped."""
        return self._pool.environments()

    async def close(self) -> None:
        """Stop every environment, write the journal, close the files."""
        self.begin_closing()
        await self.mappings.close()
        await self.lifecycle.close()
        await self.driver.close()
        await self.events.close()
        await self.queues.close()
        await self.journal.close()
        await self.registry.close()

    # -- asynchronous invocation ---------------------------------------------------------------

    def _invoke_event(self, event: AsynchronousEvent, ended: AttemptEnded) -> None:
        def done(result: InvocationResult) -> None:
            ended(result.outcome, result.executed_version)

        options = InvocationOptions(
            request_id=event.request_id,
            client_context=event.client_context,
            trace_id=event.trace_id,
            qualifier=event.qualifier,
        )
        self.invoke(event.function_name, event.payload, options, done)

    def _event_settings(self, name: str, qualifier: str | None) -> EventInvokeSettings:
        return settings_of(self.registry, name, qualifier, self._time_scale)

    def _qualified_arn(self, name: str, qualifier: str | None) -> str:
        return f"{self.place.function_arn(name)}:{qualifier or LATEST}"

    async def _accept_record(self, name: str, qualifier: str | None, payload: bytes) -> None:
        if self.registry.target(name, qualifier) is None:
            raise PlatformError("destination-unreachable", f"the function `{name}` is not there")
        await self.accept(name, qualifier, payload)

    def _trace_id(self, name: str, given: str | None) -> str:
        """The trace header of an invocation; not sampled, unless the caller's says so."""
        bits = self._random.getrandbits
        root = f"1-{int(self._clock.epoch()):08x}-{bits(96):024x}"
        parent = f"{bits(64):016x}"
        if given is not None:
            return completed(given, root, parent, name)
        return f"Root={root};Parent={parent};Sampled=0;Lineage={lineage(name)}"
