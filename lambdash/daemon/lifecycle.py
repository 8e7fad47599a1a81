"""The daemon's life: it starts, recovers, serves, drains and stops, from top to bottom."""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from lambdash import __version__, limits, locations
from lambdash.aws_gateway import services as aws_services
from lambdash.aws_gateway import unserved
from lambdash.aws_gateway.door import ServiceDoor
from lambdash.aws_gateway.sqs.door import SqsDoor
from lambdash.aws_gateway.sqs.door import matches as sqs_matches
from lambdash.clock import SystemClock
from lambdash.daemon.activity import Activity
from lambdash.daemon.catalog import Catalog
from lambdash.daemon.control import Control, Identity
from lambdash.daemon.doors import Doors
from lambdash.daemon.engines import EngineChoice, EnginePlaces, build, choose
from lambdash.daemon.memory import IdleTrim, malloc_trim
from lambdash.daemon.services import Services
from lambdash.daemon.verbs import verbs
from lambdash.emulator.deploy import Workshop
from lambdash.emulator.emulator import Emulator, EmulatorOptions
from lambdash.emulator.variables import Place
from lambdash.engines.protocol import Engine, Gateway
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.event_sources.pollers import Pollers
from lambdash.front_doors import function_urls
from lambdash.front_doors.function_urls import FunctionUrls
from lambdash.front_doors.http_api import HttpApi
from lambdash.http.budget import ByteBudget
from lambdash.http.server import HttpBounds, HttpServer, serve_unix
from lambdash.lambda_api.listener import LOOPBACK, Companion, LambdaApi
from lambdash.manifest import Manifest
from lambdash.model.project import Project
from lambdash.packaging import Builder, PackageStore
from lambdash.pool import PoolOptions
from lambdash.tasks import Tasks

_PORTS_TRIED = 64


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """What the command line asked for; ``port`` None means 4566, else the next free one."""

    project: Project
    engine: str | None = None
    port: int | None = None
    env_vars: Path | None = None
    idle_timeout_s: float = limits.DAEMON_IDLE_TIMEOUT_S


class Daemon:
    """One daemon of one project. Everything it made is gone when ``serving`` has ended."""

    def __init__(self, options: DaemonOptions, environ: Mapping[str, str]) -> None:
        self._options = options
        self._environ = environ
        self._project = options.project
        self._store_root = Path(locations.store_directory(environ))
        self._ended = asyncio.Event()
        self._stopping: asyncio.Task[dict[str, Any]] | None = None
        self._tasks = Tasks()
        self._engine: Engine | None = None
        self._emulator: Emulator | None = None
        self._requests = Activity()
        self._api: LambdaApi | None = None
        self._trim = IdleTrim(malloc_trim())
        self._bodies = ByteBudget(limits.BODIES_MAX_BYTES)
        self._sqs: SqsDoor | None = None
        self._aws: tuple[ServiceDoor, ...] = ()
        self._control: Control | None = None
        self._door: HttpServer | None = None
        self._socket_inode: int | None = None
        self._lock_inode: int | None = None
        self.choice = EngineChoice("")
        self.endpoint = ""

    async def wait(self) -> None:
        """Return when it was asked to end, or has been idle for long."""
        idle = self._tasks.spawn(self._until_idle(), "idle")
        reachable = self._tasks.spawn(self._stay_reachable(), "stay reachable")
        await self._ended.wait()
        idle.cancel()
        reachable.cancel()

    def end(self) -> None:
        """Ask it to end."""
        self._ended.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Daemon"]:
        """Everything is up inside the block. Raises ``LambdashError`` when it cannot come up."""
        async with AsyncExitStack() as stack:
            _take_lock(self._project, stack)
            self._lock_inode = _inode(self._project.lock)
            catalog = Catalog(self._project.manifest, self._environ, self._options.env_vars)
            manifest = catalog.manifest()
            await self._start_engine(manifest, stack)
            emulator = await self._start_emulator(manifest, stack)
            stack.push_async_callback(self.shutdown)
            api = await self._listen(emulator, manifest.access_keys)
            stack.push_async_callback(api.close)
            assert self._api is not None
            assert self._engine is not None
            self.endpoint = f"http://{LOOPBACK}:{api.port}"
            stack.push_async_callback(self._api.close)
            self._engine.gateway = Gateway(self.endpoint, self._api.connection)
            await emulator.start()
            await emulator.mappings.start(Pollers(emulator, SystemClock()))
            http_api = HttpApi(emulator, self._project.id[:10], time.time, self._requests.touch)
            stack.push_async_callback(http_api.close)
            doors = Doors(emulator, catalog, http_api)
            await doors.refresh()
            self._control = self._make_control(self._services(catalog, emulator, doors))
            await self._open_door()
            stack.push_async_callback(self._close_door)
            stack.push_async_callback(self.shutdown)
            yield self

    async def shutdown(self) -> dict[str, Any]:
        """Stop every environment and remove all that was made; what that was, the first time."""
        if self._stopping is None:
            caller = asyncio.current_task()
            self._stopping = asyncio.ensure_future(self._shut_down(caller))
        return await asyncio.shield(self._stopping)

    async def _shut_down(self, caller: "asyncio.Task[Any] | None") -> dict[str, Any]:
        assert self._emulator is not None
        assert self._engine is not None
        self._requests.stopping = True
        self._emulator.begin_closing()
        environments = len(self._emulator.environments())
        await self._tasks.cancel(spared=caller)
        if self._sqs is not None:
            await self._sqs.close()
        for door in self._aws:
            await door.close()
        await self._emulator.close()
        removed = await self._engine.close()
        self._ended.set()
        return {"environments": environments, **removed}

    # -- coming up -----------------------------------------------------------------------------

    async def _start_engine(self, manifest: Manifest, stack: AsyncExitStack) -> None:
        self.choice = await choose(self._options.engine, manifest.engine, self._environ)
        places = EnginePlaces(self._project, self._store_root, manifest.network)
        engine = build(self.choice, places, self._environ)
        stack.push_async_callback(engine.close)
        await engine.start()
        await engine.collect()
        self._engine = engine

    async def _start_emulator(self, manifest: Manifest, stack: AsyncExitStack) -> Emulator:
        assert self._engine is not None
        store = PackageStore(self._store_root)
        stack.callback(store.close)
        options = EmulatorOptions(
            state_dir=self._project.state_dir,
            place=Place(manifest.region, manifest.account_id),
            time_scale=manifest.time_scale,
            pool=PoolOptions(
                concurrent_executions=manifest.concurrent_executions,
                aws_scaling=manifest.aws_scaling,
                memory_budget_mb=_memory_budget_mb(),
            ),
        )
        self._emulator = Emulator(self._engine, Workshop(Builder(store), store), options)
        return self._emulator

    async def _listen(self, emulator: Emulator, keys: Mapping[str, str] | None) -> HttpServer:
        """The asked port or an error; with none asked, the first free one from 4566 on."""
        self._sqs = SqsDoor(emulator.queues)
        self._aws = aws_services.doors(emulator, SystemClock())
        urls = FunctionUrls(emulator, time.time)
        companions = (
            Companion(function_urls.matches, urls.handle, public=True),
            Companion(sqs_matches, self._sqs.handle),
            *(Companion(door.matches, door.handle) for door in self._aws),
            Companion(unserved.matches, unserved.handle),
        )
        api = self._api = LambdaApi(
            emulator,
            self._requests.touch,
            bodies=self._bodies,
            companions=companions,
            keys=keys,
        )
        if self._options.port is not None:
            return await api.listen(self._options.port)
        for port in range(limits.DEFAULT_PORT, limits.DEFAULT_PORT + _PORTS_TRIED):
            try:
                return await api.listen(port)
            except PlatformError as error:
                if error.code != "port-in-use":
                    raise
        return await api.listen(0)

    def _make_control(self, services: Services) -> Control:
        env_vars = self._options.env_vars
        headers = {
            b"x-lambdash-version": __version__,
            b"x-lambdash-engine": self.choice.name,
            b"x-lambdash-env-vars": "" if env_vars is None else json.dumps(str(env_vars))[1:-1],
        }
        identity = Identity(headers, partial(_changed, services.catalog, self._fixed(services)))
        return Control(verbs(services), self._tasks, identity, self._requests)

    async def _open_door(self) -> None:
        assert self._control is not None
        bounds = HttpBounds(body_bytes=limits.CONTROL_BODY_MAX_BYTES, budget=self._bodies)
        self._door = await serve_unix(self._control.handle, self._project.socket, bounds)
        self._socket_inode = _inode(self._project.socket)

    async def _close_door(self) -> None:
        if self._door is not None:
            await self._door.close()

    async def _stay_reachable(self) -> None:
        """Listen anew when something removed the socket; end when the lock is not ours any more.

        Whatever cleans temporary folders would else leave a daemon that nobody can ask to stop.
        """
        while True:
            await asyncio.sleep(limits.DAEMON_REACH_CHECK_S)
            self._trim_when_at_rest()
            if _inode(self._project.lock) != self._lock_inode:
                self._ended.set()
            elif _inode(self._project.socket) != self._socket_inode:
                await self._close_door()
                await self._open_door()

    def _trim_when_at_rest(self) -> None:
        assert self._emulator is not None
        quiet_s = time.monotonic() - self._requests.last_at
        if quiet_s > limits.DAEMON_REACH_CHECK_S and not self._emulator.busy:
            self._trim.at_rest()

    def _fixed(self, services: Services) -> dict[str, object]:
        """The manifest's settings that hold for a daemon's whole life; an engine that was asked
        for elsewhere is none of the manifest's."""
        settings = _settings(services.catalog.manifest())
        if self._options.engine or self._environ.get("LAMBDASH_ENGINE"):
            del settings["engine"]
        return settings

    def _services(self, catalog: Catalog, emulator: Emulator, doors: Doors) -> Services:
        assert self._engine is not None
        return Services(
            emulator=emulator,
            catalog=catalog,
            engine=self._engine,
            choice=self.choice,
            endpoint=self.endpoint,
            shutdown=self.shutdown,
            doors=doors,
            started_at=time.monotonic(),
        )

    async def _until_idle(self) -> None:
        """End when nobody asked for anything for long and nothing is in flight."""
        assert self._emulator is not None
        while True:
            quiet_s = time.monotonic() - self._requests.last_at
            left_s = self._options.idle_timeout_s - quiet_s
            waits = self._emulator.busy or self._emulator.mappings.is_polling
            if waits or self._requests.open:
                left_s = self._options.idle_timeout_s
            if left_s <= 0:
                self._ended.set()
                return
            await asyncio.sleep(left_s)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _take_lock(project: Project, stack: AsyncExitStack) -> None:
    """One daemon per manifest: the lock is held for life, and freed by the kernel on any death."""
    locations.secure_directory(str(project.runtime_dir), create=True)
    project.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (project.state_dir / ".gitignore").write_text("*\n", encoding="utf-8")
    lock: IO[str] = stack.enter_context(project.lock.open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CallerError(
            "daemon-running",
            f"a daemon already serves {project.manifest}",
            "`lambdash stop` ends it",
        ) from error


def _settings(manifest: Manifest) -> dict[str, object]:
    return {
        "engine": manifest.engine,
        "region": manifest.region,
        "account_id": manifest.account_id,
        "limits": manifest.concurrent_executions,
        "time_scale": manifest.time_scale,
        "scaling": manifest.aws_scaling,
        "access_keys": manifest.access_keys,
    }


def _changed(catalog: Catalog, fixed: Mapping[str, object]) -> str:
    """The first of the fixed settings that the manifest has otherwise now, or nothing.

    A manifest that cannot be read is whoever's error who needs it.
    """
    try:
        now = _settings(catalog.manifest())
    except LambdashError:
        return ""
    return next((name for name, value in fixed.items() if now[name] != value), "")


def _memory_budget_mb() -> int:
    """Three quarters of the machine: all environments' limits together stay within it."""
    total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total_bytes * 3 // 4 // limits.MIB
