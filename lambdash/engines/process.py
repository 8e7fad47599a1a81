"""The process engine: each sandbox is a launcher and its runtime as plain processes of the user.

It isolates nothing, watches memory without limiting it, and says so in its capabilities. What it
does promise: the function sees a copy of its code (never the store), a folder of its own for
temporary files, and no variable of the user's shell but ``PATH``.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambdash import limits
from lambdash.engines import launcher
from lambdash.engines.channel import Channel, ControlListener
from lambdash.engines.clone import Copies, clone_tree, remove_tree
from lambdash.engines.orphans import ProcessRecord, kill_started_with
from lambdash.engines.program import RUNTIME_API, TASK_ROOT, Program
from lambdash.engines.protocol import (
    Capabilities,
    Gateway,
    Prepared,
    PullPolicy,
    Sandbox,
    SandboxObserver,
    SandboxSpec,
)
from lambdash.errors import CallerError, PlatformError, write_failed
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import ProgressSink

_RECORD = "launcher.json"
_COMPLAINTS = "launcher.log"


@dataclass(frozen=True, slots=True)
class ProcessFolders:
    """``state`` is this engine's own (code copies, temporary files); ``sockets`` a short path."""

    state: Path
    sockets: Path


@dataclass(frozen=True, slots=True)
class RuntimeClients:
    """Where runtime clients come from. Both block and raise ``PlatformError`` with a hint.

    ``tree`` gives the client's folder for a runtime identifier, ``command`` what starts it with
    this machine's interpreter of exactly that version.
    """

    tree: Callable[[str], Path]
    command: Callable[[str, Path], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PreparedProcess:
    """A revision whose code, layers and runtime client were copied."""

    spec: SandboxSpec
    program: Program

    @property
    def code(self) -> Path:
        return self.program.code

    @property
    def revision_id(self) -> str:
        return self.spec.revision.id


@dataclass(eq=False, slots=True)
class ProcessSandbox:
    """One launcher process and its channel."""

    prepared: PreparedProcess
    folder: Path
    process: subprocess.Popen[bytes]
    channel: Channel
    stopping: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def id(self) -> str:
        return f"process:{self.process.pid}"

    def drain_output(self) -> None:
        self.channel.drain_output()

    def freeze(self) -> None:
        self.channel.freeze()

    def thaw(self) -> None:
        self.channel.thaw()

    def memory_peak_bytes(self) -> int | None:
        """The runtime process's own peak (its children's are not in it); Linux only."""
        try:
            status = Path(f"/proc/{self.channel.runtime_pid}/status").read_text()
        except OSError:
            return None
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else None


class ProcessEngine:
    """Sandboxes without isolation: for machines with no container engine, and the fastest loop."""

    name = "process"
    capabilities = Capabilities(isolation=False, images=False, memory_limit=False)
    gateway: Gateway | None = None

    def __init__(self, folders: ProcessFolders, clients: RuntimeClients) -> None:
        self._folders = folders
        self._clients = clients
        self._launcher = Path()
        self._closed = False
        # other projects' engines may use the same folder for their sockets
        self._socket_prefix = hashlib.sha256(os.fsencode(folders.state)).hexdigest()[:10]
        self._prepared: dict[str, PreparedProcess] = {}
        self._preparing: dict[str, asyncio.Lock] = {}
        self._copies: dict[str, Copies] = {}
        self._sandboxes: dict[str, ProcessSandbox] = {}

    async def start(self) -> None:
        """Find or compile the launcher and make the engine's folders, readable by nobody else."""
        self._launcher = await asyncio.to_thread(launcher.native)
        try:
            for folder in (self._folders.state, self._folders.sockets):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PlatformError(
                "state-folder", f"cannot make the engine's folder: {error}"
            ) from error

    async def resolve_image(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        raise _needs_images(f"image `{reference}`")

    async def build_image(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage:
        raise _needs_images(f"the Dockerfile of `{name}`")

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        raise _needs_images(f"a base image for {runtime}")

    async def prepare(self, spec: SandboxSpec, progress: ProgressSink) -> PreparedProcess:
        """Copy the code and the runtime client, once per revision; single-flight."""
        revision = spec.revision
        async with self._preparing.setdefault(revision.id, asyncio.Lock()):
            known = self._prepared.get(revision.id)
            if known is None:
                client = await self._client(spec.revision.configuration.runtime)
                known = await asyncio.to_thread(self._prepare, spec, client)
                self._prepared[revision.id] = known
        return known

    async def _client(self, runtime: str | None) -> Path | None:
        """This project's own copy of a runtime client, made once however many ask at once."""
        if runtime is None or runtime.startswith("provided"):
            return None
        async with self._preparing.setdefault(runtime, asyncio.Lock()):
            return await asyncio.to_thread(self._copy_client, runtime)

    def _copy_client(self, runtime: str) -> Path:
        shared = self._clients.tree(runtime)
        client = self._folders.state / "clients" / shared.name
        clone_tree(shared, client)
        return client

    def _prepare(self, spec: SandboxSpec, client: Path | None) -> PreparedProcess:
        configuration = spec.revision.configuration
        if spec.code_path is None or configuration.runtime is None:
            raise _needs_images(f"function `{configuration.function_name}`")
        code = self._folders.state / "code" / spec.revision.id
        layers = None
        clone_tree(spec.code_path, code)
        if spec.layers_path is not None:
            layers = self._folders.state / "layers" / spec.revision.id
            clone_tree(spec.layers_path, layers)
        command: tuple[str, ...] = ()
        if client is not None:
            command = self._clients.command(configuration.runtime, client)
        program = Program(
            configuration.runtime,
            configuration.memory_size_mb,
            code,
            layers,
            client,
            command,
            None if self.gateway is None else self.gateway.endpoint,
        )
        return PreparedProcess(spec, program)

    async def launch(
        self,
        prepared: Prepared,
        environment_id: str,
        variables: tuple[tuple[str, str], ...],
        observer: SandboxObserver,
    ) -> Sandbox:
        """Spawn a launcher and assign it the runtime; whatever fails half-way is removed again."""
        assert isinstance(prepared, PreparedProcess), "prepared by another engine"
        folder = self._folders.state / "environments" / environment_id
        if environment_id in self._sandboxes:
            raise PlatformError("environment-taken", f"environment {environment_id} is running")
        try:
            await asyncio.to_thread(self._make_room, prepared, folder)
            observer.mark("network_ready", time.monotonic())
            sandbox = await self._spawn(prepared, folder, observer)
        except BaseException:
            await asyncio.to_thread(remove_tree, folder)
            raise
        self._sandboxes[environment_id] = sandbox
        try:
            if self._closed:
                raise PlatformError("engine-closed", "the engine was closed meanwhile")
            port = sandbox.channel.runtime_port
            assignment = prepared.program.assignment(variables, sandbox.folder / "tmp", port)
            await sandbox.channel.assign(assignment, observer)
        except BaseException:
            await asyncio.shield(self.stop(sandbox, 0.0))
            raise
        return sandbox

    def _make_room(self, prepared: PreparedProcess, folder: Path) -> None:
        spec, program = prepared.spec, prepared.program
        if spec.code_path is not None:  # a superseded revision's copy may be gone
            clone_tree(spec.code_path, program.code)
        if spec.layers_path is not None and program.layers is not None:
            clone_tree(spec.layers_path, program.layers)
        try:
            (folder / "tmp").mkdir(mode=0o700, parents=True)
        except OSError as error:
            failed = PlatformError("state-folder", f"cannot make {folder}: {error}")
            raise write_failed(error, failed) from error

    async def _spawn(
        self, prepared: PreparedProcess, folder: Path, observer: SandboxObserver
    ) -> ProcessSandbox:
        socket = self._folders.sockets / f"{self._socket_prefix}-{secrets.token_hex(4)}.control"
        listener = await ControlListener.open(socket)
        process: subprocess.Popen[bytes] | None = None
        try:
            process = await asyncio.to_thread(self._start_launcher, socket, folder)
            spawned = time.monotonic()
            channel = await listener.accept(limits.LAUNCHER_CONNECT_MAX_S)
        except BaseException:
            listener.close()
            if process is not None:
                process.kill()
                await asyncio.shield(asyncio.to_thread(process.wait))
            raise
        observer.mark("created", spawned)
        observer.mark("started", spawned)
        return ProcessSandbox(prepared, folder, process, channel)

    def _start_launcher(self, socket: Path, folder: Path) -> subprocess.Popen[bytes]:
        variables = {"LAMBDASH_CONTROL": str(socket), "LAMBDASH_PORT": "0"}
        try:
            with (folder / _COMPLAINTS).open("wb") as complaints:
                process = subprocess.Popen(
                    [self._launcher],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    env=variables,
                    cwd="/",
                    start_new_session=True,
                )
            record = ProcessRecord.of(process.pid)
            if record is not None:
                record.write(folder / _RECORD)
        except OSError as error:
            failed = PlatformError("launcher-start", f"cannot start the launcher: {error}")
            raise write_failed(error, failed) from error
        return process

    async def start_runtime(self, sandbox: Sandbox) -> None:
        assert isinstance(sandbox, ProcessSandbox)
        await sandbox.channel.start_runtime()

    async def reset(self, sandbox: Sandbox, grace_s: float = 0.0) -> None:
        assert isinstance(sandbox, ProcessSandbox)
        await sandbox.channel.reset(grace_s)

    async def connect(
        self, sandbox: Sandbox, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Transport:
        assert isinstance(sandbox, ProcessSandbox)
        return await sandbox.channel.inward.connect(port, protocol)

    async def stop(self, sandbox: Sandbox, grace_s: float) -> None:
        assert isinstance(sandbox, ProcessSandbox)
        async with sandbox.stopping:
            name = sandbox.folder.name
            if self._sandboxes.get(name) is not sandbox:
                return
            sandbox.thaw()
            with contextlib.suppress(PlatformError):  # killed below, however far it came
                await sandbox.channel.shutdown(grace_s)
            sandbox.channel.close()
            await asyncio.to_thread(_bury, sandbox)
            del self._sandboxes[name]
            await self._drop_superseded(sandbox.prepared)

    async def _drop_superseded(self, stopped: PreparedProcess) -> None:
        """Remove a code copy no sandbox uses when its function has a newer revision."""
        function = stopped.spec.revision.function_name
        same = [each for each in self._prepared.values() if _function(each) == function]
        used = any(each.prepared is stopped for each in self._sandboxes.values())
        if used or not same or same[-1] is stopped:
            return
        self._prepared.pop(stopped.revision_id, None)
        self._preparing.pop(stopped.revision_id, None)
        for folder in stopped.program.copies:
            await asyncio.to_thread(remove_tree, folder)
        if function in self._copies:
            await asyncio.to_thread(self._copies[function].forget_missing)

    async def collect(self) -> Mapping[str, int]:
        """Kill and remove what is in this engine's folder and not of this daemon.

        A launcher dies by itself when its daemon does; this is the second net. Returns how many
        environments had been left.
        """
        return {"environments": await asyncio.to_thread(self._collect)}

    def _collect(self) -> int:
        found = 0
        for socket in self._folders.sockets.glob(f"{self._socket_prefix}-*.control"):
            socket.unlink(missing_ok=True)
        environments = self._folders.state / "environments"
        mine = set(self._sandboxes)
        for folder in environments.iterdir() if environments.is_dir() else ():
            if folder.name not in mine:
                found += 1
                record = ProcessRecord.read(folder / _RECORD)
                if record is not None:
                    record.kill()
                remove_tree(folder)
        code = self._folders.state / "code"
        for folder in code.iterdir() if code.is_dir() else ():
            if folder.name not in self._prepared:
                kill_started_with(TASK_ROOT, f"{folder}")
                remove_tree(folder)
        layers = self._folders.state / "layers"
        for folder in layers.iterdir() if layers.is_dir() else ():
            if folder.name not in self._prepared:
                remove_tree(folder)
        return found

    async def close(self) -> Mapping[str, int]:
        """Stop every sandbox and remove the copies of code; those of clients serve the next one."""
        self._closed = True
        stopped = len(self._sandboxes)
        for sandbox in list(self._sandboxes.values()):
            await self.stop(sandbox, 0.0)
        self._prepared.clear()
        self._preparing.clear()
        for name in ("environments", "code", "layers"):
            await asyncio.to_thread(remove_tree, self._folders.state / name)
        return {"processes": stopped}


def _function(prepared: PreparedProcess) -> str:
    return prepared.spec.revision.function_name


def _bury(sandbox: ProcessSandbox) -> None:
    """Reap the launcher; when it did not end as asked, kill what it could not. Blocking."""
    try:
        code = sandbox.process.wait(1.0)
    except subprocess.TimeoutExpired:
        sandbox.process.kill()
        code = sandbox.process.wait()
    if code != 0:
        door = f"{RUNTIME_API}=127.0.0.1:{sandbox.channel.runtime_port}"
        kill_started_with(TASK_ROOT, str(sandbox.prepared.code), door)
    remove_tree(sandbox.folder)


def _needs_images(what: str) -> CallerError:
    return CallerError(
        "image-needs-engine",
        f"{what} needs a container engine; the process engine runs no images",
        "use `--engine docker`, or give the function `code:` and a `runtime:`",
    )
