"""``dev``: deploy, watch, and bring every edit into service without costing a request."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lambdash import limits
from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services
from lambdash.daemon.verbs.inspect import LogFollower
from lambdash.emulator.deploy import DeployOptions
from lambdash.errors import LambdashError
from lambdash.model import DockerfileSource, FolderSource, Function
from lambdash.packaging import Ignore
from lambdash.packaging.ignore import IGNORE_FILE
from lambdash.storage.journal_rows import LogRow
from lambdash.watch.watcher import DEBOUNCE_S, Watched, Watcher

# lines of the platform that every invocation has, in both formats
_ROUTINE = ("INIT_START ", "START ", "END ", "REPORT ", '{"time":')
_MANIFEST = ""  # no function is named so


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    return {"dev": partial(_dev, services)}


async def _dev(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    """Ends when the client goes, by cancellation."""
    loop = _Loop(services, stream, body)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        group.create_task(loop.follow_logs())
    return {}


class _Loop:
    """One client's dev session. A broken edit is told, and the last good revision serves on."""

    def __init__(self, services: Services, stream: EventStream, body: dict[str, Any]) -> None:
        self._services = services
        self._stream = stream
        self._named = [str(name) for name in body.get("functions") or []]
        self._options = DeployOptions(pull=services.pull_policy(body))
        self._edited: dict[str, float] = {}
        self._watched: list[str] = []
        self._follower = _Follower(frozenset(self._named))
        self._wake = asyncio.Event()

    async def run(self) -> None:
        functions = self._functions()
        watcher = self._watcher(functions)  # before the first deploy: an edit during it counts
        try:
            for function in functions:
                await self._deploy_first(function)
            self._stream.notice(f"serving at {self._services.endpoint}")
            while True:
                self._watch(functions)
                await self._serve_edits()
                functions = self._functions_or_same(functions)
                # the next one sees before the last one ceases to
                last, watcher = watcher, self._watcher(functions)
                await last.close()
        finally:
            self._services.watched.subtract(self._watched)
            await watcher.close()

    def _watch(self, functions: list[Function]) -> None:
        """From now on these, whatever the manifest named before."""
        names = [function.name for function in functions]
        watched = self._services.watched
        watched.subtract(self._watched)
        watched.update(names)
        self._watched = names
        self._stream.emit("ready", functions=names, endpoint=self._services.endpoint)
        self._stream.notice(f"watching {', '.join(names)}")

    def _watcher(self, functions: list[Function]) -> Watcher:
        watcher = Watcher(self._note)
        watched = _watched(functions)
        files = dict.fromkeys(self._services.catalog.files(), _MANIFEST)
        files |= _archives(functions)
        # another ignore file is another set of files to watch
        files |= {one.folder / IGNORE_FILE: _MANIFEST for one in watched}
        watcher.start(watched, files)
        return watcher

    async def follow_logs(self) -> None:
        """Log lines of these functions, below the reload lines."""
        unfollow = self._services.emulator.logs.follow(self._follower.take)
        try:
            await self._follower.run(self._stream)
        finally:
            unfollow()

    def _functions(self) -> list[Function]:
        catalog = self._services.catalog
        if self._named:
            return [catalog.function(name) for name in self._named]
        return list(catalog.manifest().functions.values())

    def _functions_or_same(self, before: list[Function]) -> list[Function]:
        """A broken manifest has been told; what it last said holds."""
        try:
            return self._functions()
        except LambdashError:
            return before

    def _note(self, names: frozenset[str]) -> None:
        """Edits are timed from when they were made, not from when the burst was over."""
        edited_at = time.monotonic() - DEBOUNCE_S
        for name in names:
            self._edited.setdefault(name, edited_at)
        self._wake.set()

    async def _serve_edits(self) -> None:
        """Reload what was edited; return when the manifest was, for the folders may be others."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            edited, self._edited = self._edited, {}
            manifest_at = edited.pop(_MANIFEST, None)
            if manifest_at is not None:
                names = self._names_in_manifest()
                edited = {name: edited.get(name, manifest_at) for name in names}
            async with asyncio.TaskGroup() as group:
                for name, at in edited.items():
                    group.create_task(self._reload(name, at))
            if manifest_at is not None:
                return

    def _names_in_manifest(self) -> list[str]:
        try:
            return [function.name for function in self._functions()]
        except LambdashError as error:
            self._told("manifest", error)
            return []

    async def _deploy_first(self, function: Function) -> None:
        try:
            await self._services.up_to_date(function.name, self._options, self._stream)
            self._services.emulator.driver.initialise(function.name)
        except LambdashError as error:
            self._told(function.name, error)

    async def _reload(self, name: str, edited_at: float) -> None:
        emulator = self._services.emulator
        try:
            function = self._services.catalog.function(name)
            change = await emulator.deployer.change(function)
            if change.action == "unchanged":
                return
            self._follower.hold(name)
            await self._services.doors.make_resources()
            await emulator.deployer.replace(function, self._options, self._stream.progress)
            await self._services.doors.refresh()
        except LambdashError as error:
            self._follower.drop(name)
            self._told(name, error)
        else:
            self._follower.release(name)
            ready_ms = (time.monotonic() - edited_at) * 1000
            self._stream.emit("reload", function=name, ready_ms=round(ready_ms, 1))

    def _told(self, name: str, error: LambdashError) -> None:
        document = {"code": error.code, "message": error.message, "hint": error.hint}
        self._stream.emit("reload_failed", function=name, error=document)


class _Follower(LogFollower):
    """Tells what an edit's init wrote once it is well; of a broken edit its error says enough.

    Init's lines are those that no invocation owns. The journal has all of them, and those of the
    platform too: here only those that say what went wrong are of use.
    """

    def __init__(self, functions: frozenset[str]) -> None:
        super().__init__(functions, None)
        self._held: dict[str, deque[LogRow]] = {}

    def hold(self, function: str) -> None:
        """Keep back what comes."""
        self._held[function] = deque(maxlen=limits.LOG_LINES_SHOWN)

    def drop(self, function: str) -> None:
        """Forget what was kept back."""
        self._held.pop(function, None)

    def release(self, function: str) -> None:
        """Tell what was kept back."""
        for row in self._held.pop(function, ()):
            super().take(row)

    def take(self, row: LogRow) -> None:
        _, function, _, request_id, stream, text = row
        if stream == "platform" and text.startswith(_ROUTINE):
            return
        held = self._held.get(function)
        if held is None or request_id is not None:
            super().take(row)
        else:
            held.append(row)


def _archives(functions: Iterable[Function]) -> dict[Path, str]:
    """Layers that are one file: whichever function has it, a change of it concerns them all."""
    layers = (layer for function in functions for layer in function.layers)
    return {layer.path: _MANIFEST for layer in layers if not layer.path.is_dir()}


def _watched(functions: Iterable[Function]) -> tuple[Watched, ...]:
    found = []
    for function in functions:
        match function.source:
            case FolderSource(path):
                found.append(Watched(function.name, path, Ignore.for_folder(path)))
            case DockerfileSource() as source:
                ignore = Ignore.for_folder(source.context)
                found.append(Watched(function.name, source.context, ignore))
            case _:
                continue
        folders = [layer.path for layer in function.layers if layer.path.is_dir()]
        found += [Watched(function.name, path, Ignore.for_folder(path)) for path in folders]
    return tuple(found)
