"""An engine in memory: sandboxes are tasks of this process that speak the real Runtime API."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lambdash.engines.protocol import (
    Capabilities,
    Gateway,
    Prepared,
    PullPolicy,
    Sandbox,
    SandboxExit,
    SandboxObserver,
    SandboxSpec,
)
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import ProgressSink
from lambdash.testing.runtime import FakeRuntime, Handler

HandlerFactory = Callable[[], Handler]


@dataclass(frozen=True, slots=True)
class FakePrepared:
    """What ``prepare`` made ready: the spec and nothing more."""

    spec: SandboxSpec

    @property
    def revision_id(self) -> str:
        return self.spec.revision.id


@dataclass(eq=False, slots=True)
class FakeSandbox:
    """One sandbox; ``variables`` are those its launch was given."""

    id: str
    prepared: FakePrepared
    variables: Mapping[str, str]
    observer: SandboxObserver
    life: "asyncio.Task[None] | None" = None
    stopping: bool = False
    frozen: bool = False

    def drain_output(self) -> None:
        """Output is handed over as it is printed."""

    def freeze(self) -> None:
        """Nothing is held up: what is frozen can be looked at."""
        self.frozen = True

    def thaw(self) -> None:
        self.frozen = False

    def memory_peak_bytes(self) -> int | None:
        """Nothing is measured in memory."""
        return None

    def print(self, text: str, stream: str = "stdout") -> None:
        """Let the sandbox write something."""
        self.observer.output(stream, text.encode())


@dataclass(slots=True)
class FakeEngine:
    """``make_handler`` is called for each life of a runtime process: its closure is the globals.

    ``launch_error``, when set, is what every launch raises; ``init_exit`` is how every runtime
    process ends before its first poll. ``extensions`` are the names of those that every life begins
    with; whoever tests them speaks for them. ``calls`` counts what was asked.
    """

    make_handler: HandlerFactory
    launch_error: LambdashError | None = None
    init_exit: SandboxExit | None = None
    extensions: tuple[str, ...] = ()
    gateway: Gateway | None = None
    name: str = "fake"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(isolation=False, images=False, memory_limit=False)
    )
    sandboxes: dict[str, FakeSandbox] = field(default_factory=dict)
    launches: int = 0
    resets: int = 0
    calls: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def start(self) -> None:
        self.calls += 1

    async def resolve_image(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        raise CallerError("image-needs-engine", f"the fake engine has no image `{reference}`")

    async def build_image(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage:
        raise CallerError("image-needs-engine", f"the fake engine cannot build `{name}`")

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        raise CallerError("image-needs-engine", f"the fake engine has no image of {runtime}")

    async def prepare(self, spec: SandboxSpec, progress: ProgressSink) -> FakePrepared:
        self.calls += 1
        return FakePrepared(spec)

    async def launch(
        self,
        prepared: Prepared,
        environment_id: str,
        variables: tuple[tuple[str, str], ...],
        observer: SandboxObserver,
    ) -> FakeSandbox:
        self.calls += 1
        if self.launch_error is not None:
            raise self.launch_error
        assert isinstance(prepared, FakePrepared), "prepared by this engine"
        self.launches += 1
        sandbox = FakeSandbox(f"fake:{next(self._numbers)}", prepared, dict(variables), observer)
        self.sandboxes[environment_id] = sandbox
        now = asyncio.get_running_loop().time()
        for mark in ("network_ready", "created", "started"):
            observer.mark(mark, now)
        await self._begin(sandbox)
        return sandbox

    async def start_runtime(self, sandbox: Sandbox) -> None:
        self.calls += 1
        assert isinstance(sandbox, FakeSandbox), "launched by this engine"
        await self._live(sandbox)

    async def reset(self, sandbox: Sandbox, grace_s: float = 0.0) -> None:
        self.calls += 1
        assert isinstance(sandbox, FakeSandbox), "launched by this engine"
        self.resets += 1
        await self._end(sandbox)
        await self._begin(sandbox)

    async def connect(
        self, sandbox: Sandbox, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Transport:
        self.calls += 1
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(protocol, "127.0.0.1", port)
        except OSError as error:
            raise PlatformError("sandbox-refused", f"nothing listens at {port}: {error}") from error
        return transport

    async def stop(self, sandbox: Sandbox, grace_s: float) -> None:
        self.calls += 1
        assert isinstance(sandbox, FakeSandbox), "launched by this engine"
        sandbox.stopping, sandbox.frozen = True, False
        await self._end(sandbox)
        self.sandboxes = {
            name: other for name, other in self.sandboxes.items() if other is not sandbox
        }

    async def collect(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> Mapping[str, int]:
        for sandbox in tuple(self.sandboxes.values()):
            await self.stop(sandbox, 0)
        return {}

    async def _begin(self, sandbox: FakeSandbox) -> None:
        """A life: the runtime's process, or the extensions that it waits for."""
        if self.extensions:
            sandbox.observer.extensions_started(self.extensions)
        else:
            await self._live(sandbox)

    async def _live(self, sandbox: FakeSandbox) -> None:
        """Start a runtime process: a task on one end of a socket pair."""
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(sandbox.observer.runtime_connection, ours)
        reader, writer = await asyncio.open_connection(sock=theirs)
        sandbox.observer.mark("runtime_started", loop.time())
        runtime = FakeRuntime(reader, writer)
        sandbox.life = loop.create_task(self._run(sandbox, runtime))
        # a task that is cancelled before it began runs no `finally`
        sandbox.life.add_done_callback(lambda _: runtime.close())

    async def _run(self, sandbox: FakeSandbox, runtime: FakeRuntime) -> None:
        if self.init_exit is None:
            ended = await runtime.run(self.make_handler())
        else:
            ended = self.init_exit
            runtime.close()
        if not sandbox.stopping:
            sandbox.observer.exited(ended)

    async def _end(self, sandbox: FakeSandbox) -> None:
        life, sandbox.life = sandbox.life, None
        if life is not None and not life.done():
            life.cancel()
            await asyncio.wait([life])
