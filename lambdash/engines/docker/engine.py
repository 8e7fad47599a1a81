"""The docker engine: environments are containers of any engine that speaks Docker's API."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lambdash.clock import Clock, SystemClock
from lambdash.engines.channel import DescriptorChannel
from lambdash.engines.docker import recovery, specs
from lambdash.engines.docker.address import Surroundings
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.detection import required_address
from lambdash.engines.docker.environment import EngineEnvironment
from lambdash.engines.docker.events import ContainerEvent, EventStream
from lambdash.engines.docker.exits import ExitReport
from lambdash.engines.docker.labels import Owner
from lambdash.engines.docker.launches import Launches
from lambdash.engines.docker.namespaces import Namespaces, Workshop
from lambdash.engines.docker.networks import Networks
from lambdash.engines.docker.pauses import SpareBounds
from lambdash.engines.docker.pausing import Freezer, PauseFreezer
from lambdash.engines.docker.preparation import Images, Preparation
from lambdash.engines.docker.reach import Reach
from lambdash.engines.docker.sandbox import DockerPrepared, DockerSandbox, Order
from lambdash.engines.docker.specs import NetworkKey
from lambdash.engines.freezer import freezer_of
from lambdash.engines.protocol import (
    Capabilities,
    Gateway,
    Prepared,
    PullPolicy,
    Sandbox,
    SandboxObserver,
    SandboxSpec,
)
from lambdash.errors import LambdashError
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import ProgressSink
from lambdash.tasks import Tasks, together

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")
Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class ImagesFactory(Protocol):
    """Makes the image store over a connected client; ``run`` runs a blocking call in the pool."""

    def __call__(self, api: "APIClient", run: Run) -> Images: ...


@dataclass(frozen=True, slots=True)
class DockerOptions:
    """What the daemon gives: who owns what is made, where files lie, what of the user's reaches in.

    ``runtime_dir`` is private and short (control sockets); ``store`` is the shared store's root,
    below which every package's tree lies. ``network`` is the manifest's, for functions that name
    none of their own. ``reach`` None asks the engine what it sees of this machine.
    """

    owner: Owner
    runtime_dir: Path
    store: Path
    surroundings: Surroundings
    images: ImagesFactory
    environment: EngineEnvironment = field(default_factory=EngineEnvironment)
    network: str | None = None
    reach: Reach | None = None
    spares: SpareBounds = field(default_factory=SpareBounds)
    clock: Clock = field(default_factory=SystemClock)


class DockerEngine:
    """``engines.protocol.Engine`` over containers. One event stream; no engine call when warm."""

    name = "docker"
    capabilities = Capabilities(isolation=True, images=True, memory_limit=True)
    gateway: Gateway | None = None

    def __init__(self, options: DockerOptions) -> None:
        self._options = options
        self._tasks = Tasks()
        self._reports: dict[str, ExitReport] = {}
        self._sandboxes: dict[str, DockerSandbox] = {}
        self._parts: _Parts | None = None

    async def start(self) -> None:
        options = self._options
        connection = await Connection.open(
            await asyncio.to_thread(required_address, options.surroundings)
        )
        shop = Workshop(connection, options.owner, self._tasks, options.clock)
        networks = Networks(connection, options.owner, self._tasks)
        images = options.images(connection.api, connection.run)
        preparation = Preparation(shop, images, options)
        namespaces = Namespaces(shop, networks, preparation.pause_image, options.spares)
        events = EventStream(connection, options.owner, self._on_event, self._on_resumed)
        self._parts = _Parts(
            connection=connection,
            networks=networks,
            images=images,
            preparation=preparation,
            namespaces=namespaces,
            launches=Launches(shop, namespaces, preparation.doors),
            events=events,
        )
        try:
            await events.start()
        except BaseException:
            await self.close()
            raise
        preparation.begin()

    def engine_calls(self) -> int:
        """HTTP calls to the engine so far: a warm invocation adds none."""
        return self._running.connection.engine_calls()

    async def settled(self) -> None:
        """Wait until removals and spare namespaces are done: nothing goes on but environments."""
        await self._tasks.join()

    async def resolve_image(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        return await self._running.images.resolve(reference, pull, progress)

    async def build_image(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage:
        return await self._running.images.build(name, source, progress)

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        """A base image made from this machine's own interpreter."""
        return await self._running.images.build_from_host(runtime, architecture, progress)

    async def prepare(self, spec: SandboxSpec, progress: ProgressSink) -> Prepared:
        parts = self._running
        prepared = await parts.preparation.prepare(spec, progress)
        await parts.namespaces.ensure(prepared.key)
        return prepared

    async def launch(
        self,
        prepared: Prepared,
        environment_id: str,
        variables: tuple[tuple[str, str], ...],
        observer: SandboxObserver,
    ) -> DockerSandbox:
        assert isinstance(prepared, DockerPrepared), "prepared by this engine"
        report = ExitReport(observer)
        body = specs.environment(
            self._options.owner, prepared.revision, environment_id, prepared.image
        )
        self._reports[environment_id] = report
        try:
            sandbox = await self._running.launches.launch(
                Order(prepared, environment_id, variables, report, body, self.gateway)
            )
        except BaseException as error:
            self._reports.pop(environment_id, None)
            if isinstance(error, EngineRefused) and error.status in {400, 404}:
                self._running.preparation.distrust()  # a mount or an image that is not there
            raise
        self._sandboxes[environment_id] = sandbox
        if prepared.revision.configuration.freeze:
            sandbox.freezer = self._freezer(sandbox)
        return sandbox

    def _freezer(self, sandbox: DockerSandbox) -> Freezer:
        """A write where we may, three hundred times cheaper; else the engine's pause."""
        found = None
        if isinstance(sandbox.channel, DescriptorChannel) and sandbox.channel.peer_pid > 0:
            found = freezer_of(sandbox.channel.peer_pid)
        if found is not None:
            return found
        return PauseFreezer(self._running.connection, self._tasks, sandbox.container)

    async def start_runtime(self, sandbox: Sandbox) -> None:
        assert isinstance(sandbox, DockerSandbox), "launched by this engine"
        await sandbox.channel.start_runtime()

    async def reset(self, sandbox: Sandbox, grace_s: float = 0.0) -> None:
        assert isinstance(sandbox, DockerSandbox), "launched by this engine"
        sandbox.report.renew()
        sandbox.thaw()
        await sandbox.channel.reset(grace_s)

    async def connect(
        self, sandbox: Sandbox, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Transport:
        assert isinstance(sandbox, DockerSandbox), "launched by this engine"
        return await sandbox.channel.inward.connect(port, protocol)

    async def stop(self, sandbox: Sandbox, grace_s: float) -> None:
        """Returns when the runtime is dead; the container's removal is awaited by ``close``."""
        assert isinstance(sandbox, DockerSandbox), "launched by this engine"
        if sandbox.stopped:
            return
        sandbox.stopped = True
        sandbox.report.silence()
        if sandbox.freezer is not None:
            await sandbox.freezer.release()
        launches = self._running.launches
        async with contextlib.AsyncExitStack() as turn:
            try:
                if not grace_s:  # who takes time to end would hold up everybody else
                    await turn.enter_async_context(launches.turn_to_end(sandbox.lease))
                with contextlib.suppress(LambdashError):  # removal ends what the launcher did not
                    await sandbox.channel.shutdown(grace_s)
            finally:
                sandbox.channel.close()
                self._reports.pop(sandbox.environment_id, None)
                self._sandboxes.pop(sandbox.environment_id, None)
                self._tasks.spawn(launches.retire(sandbox, turn.pop_all()), "remove a container")

    async def collect(self) -> dict[str, int]:
        """Returns how many containers, networks and volumes an earlier daemon had left.

        Afterwards the project's names are free, and its network and first namespaces are made.
        """
        removed = await recovery.collect(self._running.connection, self._options.owner)
        key = NetworkKey(self._options.network or self._options.owner.network)
        self._tasks.spawn(self._running.namespaces.ensure(key), "make the first namespaces")
        return removed

    async def close(self) -> dict[str, int]:
        """Returns how many containers and networks were removed, for the word ``stop`` prints.

        ``networks_kept`` is there when the engine would not let go of some.
        """
        parts = self._parts
        if parts is None:
            return {}
        try:
            return await self._remove_all(parts)
        finally:
            self._parts = None
            await asyncio.to_thread(parts.connection.close)

    async def _remove_all(self, parts: "_Parts") -> dict[str, int]:
        stopped = len(self._sandboxes)
        parts.namespaces.begin_closing()
        await parts.events.close()
        await together(*(self.stop(each, 0.0) for each in tuple(self._sandboxes.values())))
        await parts.namespaces.close()
        await parts.preparation.close()
        swept = await recovery.sweep(parts.connection, self._options.owner)
        removed = {"containers": stopped + swept["containers"], "networks": swept["networks"]}
        kept = swept["networks_kept"]
        return {**removed, "networks_kept": kept} if kept else removed

    @property
    def _running(self) -> "_Parts":
        assert self._parts is not None, "the engine was started and not closed"
        return self._parts

    def _on_event(self, event: ContainerEvent) -> None:
        report = self._reports.get(event.environment_id)
        if report is not None and event.action == "oom":
            report.out_of_memory()
        elif report is not None:
            report.died(event.exit_code)
        elif not event.environment_id and self._parts is not None:
            self._parts.namespaces.pause_died(event.container)

    def _on_resumed(self, running: frozenset[str]) -> None:
        """The stream was lost for a while: whoever does not run any more died unseen."""
        for sandbox in tuple(self._sandboxes.values()):
            if sandbox.container not in running:
                sandbox.report.died(None)
        self._running.namespaces.only_living(running)


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that exists between ``start`` and ``close``."""

    connection: Connection
    networks: Networks
    images: Images
    preparation: Preparation
    namespaces: Namespaces
    launches: Launches
    events: EventStream
