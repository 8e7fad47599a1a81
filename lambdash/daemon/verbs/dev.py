"""``dev``: deploy, watch, and bring every edit into service without costing a request."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services
from lambdash.daemon.verbs.inspect import LogFollower
from lambdash.emulator.deploy import DeployOptions
from lambdash.errors import LambdashError
from lambdash.model import DockerfileSource, FolderSource, Function
from lambdash.packaging import Ignore
from lambdash.packaging.ignore import IGNORE_FILE
from lambdash.watch.watcher import DEBOUNCE_S, Watched, Watcher

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
        self._wake = asyncio.Event()

    async def run(self) -> None:
        functions = self._functions()
        names = [function.name for function in functions]
        watcher = self._watcher(functions)  # before the first deploy: an edit during it counts
        try:
            for function in functions:
                await self._deploy_first(function)
            self._services.watched.update(names)
            try:
                while True:
                    shown = ", ".join(function.name for function in functions)
                    self._stream.notice(f"watching {shown}")
                    await self._serve_edits()
                    functions = self._functions_or_same(functions)
                    # the next one sees before the last one ceases to
                    last, watcher = watcher, self._watcher(functions)
                    await last.close()
            finally:
                self._services.watched.subtract(names)
        finally:
            await watcher.close()

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
        follower = LogFollower(frozenset(self._named), None)
        unfollow = self._services.emulator.logs.follow(follower.take)
        try:
            await follower.run(self._stream)
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
            await emulator.deployer.replace(function, self._options, self._stream.progress)
        except LambdashError as error:
            self._told(name, error)
        else:
            ready_ms = (time.monotonic() - edited_at) * 1000
            self._stream.emit("reload", function=name, ready_ms=round(ready_ms, 1))

    def _told(self, name: str, error: LambdashError) -> None:
        document = {"code": error.code, "message": error.message, "hint": error.hint}
        self._stream.emit("reload_failed", function=name, error=document)


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
