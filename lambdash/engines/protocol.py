"""The one protocol every engine speaks; a contract suite runs over each of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from lambdash.model import DockerfileSource, ImagePackage, Revision
from lambdash.model.progress import ProgressSink


class PullPolicy(Enum):
    """When a registry may be asked for an image."""

    MISSING = "missing"
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can promise; the docs of each limit name the engines that hold it."""

    isolation: bool
    images: bool
    memory_limit: bool


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What ``prepare`` makes ready once per revision. ``code_path`` is None for image packages.

    ``layers_path`` is what functions find at ``/opt``, all layers merged; None without any.
    """

    revision: Revision
    code_path: Path | None
    pull: PullPolicy = PullPolicy.MISSING
    layers_path: Path | None = None


@dataclass(frozen=True, slots=True)
class SandboxExit:
    """How the runtime process, or the whole sandbox, ended. Bytes are the peak, where measured."""

    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    max_memory_bytes: int | None = None
    sandbox_lost: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the AWS clients of functions are answered: what ``AWS_ENDPOINT_URL`` leads to.

    ``endpoint`` is its URL on this machine; ``connection`` makes a protocol for one connection that
    was accepted inside a sandbox, which needs no network to make it.
    """

    endpoint: str
    connection: Callable[[], asyncio.Protocol]


class SandboxObserver(Protocol):
    """What an engine tells about one sandbox. Called on the event loop, never from a thread.

    Calls may come before ``launch`` has returned: a runtime can beat the engine's reply.
    """

    def runtime_connection(self) -> asyncio.Protocol:
        """A new protocol for one accepted Runtime API connection."""
        ...

    def output(self, stream: str, data: bytes) -> None:
        """Bytes the sandbox wrote; ``stream`` is ``stdout``, ``stderr`` or ``extension``."""
        ...

    def mark(self, name: str, at: float) -> None:
        """``network_ready``, ``created``, ``started``, ``runtime_started`` (monotonic s)."""
        ...

    def exited(self, exit: SandboxExit) -> None:
        """The runtime process or the sandbox ended; once per life of a runtime process.

        Not called for what ``stop`` or ``reset`` ended themselves.
        """
        ...

    def extensions_started(self, names: tuple[str, ...]) -> None:
        """External extensions run, once per life; the runtime waits for ``start_runtime``."""
        ...

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        """An external extension ended by itself."""
        ...


class Sandbox(Protocol):
    """A running isolation behind one environment."""

    @property
    def id(self) -> str:
        """The engine's own name: a container id, or ``process:<pid>``."""
        ...

    def drain_output(self) -> None:
        """Hand over everything already written, synchronously, so that a log tail is exact."""
        ...

    def freeze(self) -> None:
        """Let nothing in it run until ``thaw``; what it is sent meanwhile waits. Returns at once.

        For functions with ``freeze`` alone.
        """
        ...

    def thaw(self) -> None:
        """Let it run on. ``stop`` and ``reset`` do so themselves."""
        ...

    def memory_peak_bytes(self) -> int | None:
        """The most memory it has used so far, or None where that cannot be measured."""
        ...


class Prepared(Protocol):
    """An engine's own record of a revision that can be launched at once."""

    @property
    def revision_id(self) -> str: ...


class Engine(Protocol):
    """Runs sandboxes. Errors are ``LambdashError``; whatever was half made is removed again.

    With a ``gateway``, set before anything is prepared, functions have an ``AWS_ENDPOINT_URL``
    unless they set their own.
    """

    name: str
    capabilities: Capabilities
    gateway: Gateway | None

    async def start(self) -> None:
        """Connect and check; raises ``PlatformError`` with a hint when the engine refuses."""
        ...

    async def resolve_image(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        """The image a reference means now, pulled when the policy says so."""
        ...

    async def build_image(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage:
        """Build a Dockerfile for function ``name``."""
        ...

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        """A runtime's base image, made from this machine's own interpreter."""
        ...

    async def prepare(self, spec: SandboxSpec, progress: ProgressSink) -> Prepared:
        """Have image and code at hand; slow the first time, a dictionary look-up afterwards."""
        ...

    async def launch(
        self,
        prepared: Prepared,
        environment_id: str,
        variables: tuple[tuple[str, str], ...],
        observer: SandboxObserver,
    ) -> Sandbox:
        """Start one sandbox; returns once the runtime process was started in it.

        Where there are files in ``/opt/extensions`` it returns once those were started.

        ``variables`` are the function's (AWS's and its own); the engine adds those that depend on
        where things lie: ``AWS_LAMBDA_RUNTIME_API``, ``LAMBDA_TASK_ROOT``, ``PATH`` and the like.
        """
        ...

    async def start_runtime(self, sandbox: Sandbox) -> None:
        """Start the runtime process of a life that began with extensions; once for each."""
        ...

    async def reset(self, sandbox: Sandbox, grace_s: float = 0.0) -> None:
        """Kill the runtime's process tree and start the runtime anew; ``/tmp`` stays.

        Extensions have ``grace_s`` seconds to end before they are killed, too; the new life begins
        with them.
        """
        ...

    async def connect(
        self, sandbox: Sandbox, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Transport:
        """A connection to what listens at a port inside the sandbox, on its ``127.0.0.1``.

        Raises ``PlatformError`` (``sandbox-refused``) when nothing does.
        """
        ...

    async def stop(self, sandbox: Sandbox, grace_s: float) -> None:
        """End and remove the sandbox: SIGTERM, ``grace_s`` seconds, then SIGKILL. Idempotent.

        With extensions the runtime has 30 % of the time, and they have all of it, as on AWS.
        """
        ...

    async def collect(self) -> Mapping[str, int]:
        """Remove what earlier daemons of this project left, and nothing of another; how many."""
        ...

    async def close(self) -> Mapping[str, int]:
        """Stop every sandbox, remove all this engine made for this daemon; how many of what."""
        ...
