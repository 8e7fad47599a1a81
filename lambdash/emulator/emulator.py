"""The facade of the shell: functions, invocations, logs and the journal of one project."""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lambdash.clock import Clock, SystemClock
from lambdash.emulator.deploy import Deployer, Workshop, spec_of
from lambdash.emulator.driver import Driver, DriverParts
from lambdash.emulator.flight import Flight
from lambdash.emulator.journal import JournalWriter
from lambdash.emulator.lifecycle import Lifecycle, LifecycleParts
from lambdash.emulator.logs import LogHub
from lambdash.emulator.registry import Registry
from lambdash.emulator.result import Done, InvocationOptions
from lambdash.emulator.variables import Place
from lambdash.engines.protocol import Engine, PullPolicy
from lambdash.errors import CallerError
from lambdash.model import Invocation, Timings
from lambdash.pool import AccountConcurrency, EnvironmentView, Pool, PoolOptions
from lambdash.storage.archives import ArchiveStore
from lambdash.storage.functions import DeployedFunction
from lambdash.storage.journal import Journal
from lambdash.storage.records import RecordStore
from lambdash.tasks import Tasks


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """Where the project pretends to be, where its state lies, and the daemon's own limits.

    ``seed`` makes request ids and the choices of weighted aliases the same in every run.
    """

    state_dir: Path
    place: Place = field(default_factory=Place)
    pool: PoolOptions = field(default_factory=PoolOptions)
    seed: int | None = None


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
        self.journal = JournalWriter(Journal(options.state_dir / "journal.sqlite"))
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
        self._closing = False
        self._last_used: dict[str, float] = {}

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

    @property
    def busy(self) -> bool:
        """Whether an invocation waits or is in flight."""
        return self._pool.active > 0

    @property
    def account(self) -> AccountConcurrency:
        """The concurrency of the account, and what of it no function has reserved."""
        return self._pool.account

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
        now = self._clock.monotonic()
        timings = options.timings or Timings(received=now)
        timings.resolved = timings.resolved or now
        invocation = Invocation(
            request_id=options.request_id,
            target=target,
            payload=payload,
            trace_id=options.trace_id or self._trace_id(),
            client_context=options.client_context,
            cognito_identity=options.cognito_identity,
            tail=options.tail,
            cold=options.cold,
        )
        self._last_used[name] = now
        arrived = timings.received or now
        flight = Flight(invocation, done, timings, self._clock.epoch() - (now - arrived))
        flight.sink = options.sink
        self.driver.invoke(flight)

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
        await self.lifecycle.close()
        await self.driver.close()
        await self.journal.close()
        await self.registry.close()

    def _trace_id(self) -> str:
        """https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader."""
        bits = self._random.getrandbits
        root = f"{int(self._clock.epoch()):08x}-{bits(96):024x}"
        return f"Root=1-{root};Parent={bits(64):016x};Sampled=0"
