"""How functions come, change and go: records first, then what the pool is told.

States as AWS has them: Pending, then Active; an update is InProgress, then Successful.
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from lambdash.clock import Clock
from lambdash.emulator.connections import connect
from lambdash.emulator.driver import Driver
from lambdash.emulator.registry import Origin, Registry, VersionRecord
from lambdash.emulator.registry.documents import manifest_record, new_revision_id, settled
from lambdash.emulator.variables import Place
from lambdash.engines.protocol import Engine, SandboxSpec
from lambdash.errors import LambdashError
from lambdash.model import Revision, Scaling
from lambdash.model.arn import pool_key
from lambdash.model.connections import Connections
from lambdash.model.progress import silent
from lambdash.storage.functions import DeployedFunction
from lambdash.tasks import Tasks


@dataclass(frozen=True, slots=True)
class LifecycleParts:
    """``spec`` finds the stored package of a revision."""

    registry: Registry
    driver: Driver
    engine: Engine
    place: Place
    clock: Clock
    spec: Callable[[Revision], SandboxSpec]


class Lifecycle:
    """The only one that changes versions in the registry, and tells the driver of it."""

    def __init__(self, parts: LifecycleParts) -> None:
        self.registry = parts.registry
        self._driver = parts.driver
        self._engine = parts.engine
        self._place = parts.place
        self._clock = parts.clock
        self._tasks = Tasks()
        self._spec = parts.spec
        for entry in self.registry.functions.values():
            for record in entry.versions.values():
                self._resume(record)

    async def take_over(self, deployed: DeployedFunction) -> None:
        """From here on the manifest's function is this; returns when that is on disk."""
        name, now = deployed.function.name, self._clock.wall()
        old = self.registry.version(name)
        self.registry.put(manifest_record(deployed, old, self._place, now))
        was = None if old is None else old.deployed
        before = Connections() if was is None else was.function.connections
        connect(self.registry, name, before, deployed.function.connections, now)
        # at once: whoever finds it in the registry may invoke it
        self._driver.deploy(deployed)
        await self.registry.written()

    def begin(self, record: VersionRecord) -> None:
        """A function of the API is made or changed: it runs at once, and settles in a moment.

        Its document says so (``State`` Pending, or ``LastUpdateStatus`` InProgress).
        """
        assert record.deployed is not None
        self.registry.put(record)
        self._driver.deploy(record.deployed)
        self._settle_soon(record)

    def publish(self, name: str, description: str | None = None) -> VersionRecord:
        """Freeze ``$LATEST`` as a new version; whoever asks decides whether anything changed."""
        latest = self.registry.functions[name].latest
        assert latest.deployed is not None
        version = self.registry.next_version(name)
        document = dict(latest.document)
        if description is not None:
            document["Description"] = description
        document["RevisionId"] = new_revision_id()
        function = latest.deployed.function
        configuration = replace(function.configuration, version=version)
        deployed = replace(
            latest.deployed,
            function=replace(
                function,
                configuration=configuration,
                scaling=replace(function.scaling, provisioned_concurrent_executions=0),
            ),
            origin=Origin.API,
        )
        record = VersionRecord(name, version, document, deployed)
        self.registry.put(record)
        self._driver.deploy(deployed)
        if is_pending(document) or is_updating(document):
            self._settle_soon(record)
        return record

    def rescale(self, record: VersionRecord, scaling: Scaling) -> None:
        """Give a version other bounds; what runs goes on."""
        assert record.deployed is not None
        function = replace(record.deployed.function, scaling=scaling)
        deployed = replace(record.deployed, function=function)
        self.registry.put(replace(record, deployed=deployed))
        self._driver.deploy(deployed)

    async def remove(self, name: str) -> None:
        """Forget a function with all its versions; their environments stop."""
        entry = self.registry.functions.get(name)
        if entry is None:
            return
        versions = tuple(entry.versions)
        self.registry.remove(name)
        for version in versions:
            self._driver.remove(pool_key(name, version))
        await self.registry.written()

    def remove_version(self, name: str, version: str) -> None:
        """Forget one published version; its environments stop."""
        self.registry.remove_version(name, version)
        self._driver.remove(pool_key(name, version))

    async def close(self) -> None:
        """What has not settled yet does so after the next start."""
        await self._tasks.cancel()

    def _resume(self, record: VersionRecord) -> None:
        """After a restart: what was there is served; what was on its way settles now."""
        if record.deployed is None:
            return
        self._driver.deploy(record.deployed)
        if is_pending(record.document) or is_updating(record.document):
            self._settle(record)

    def _settle_soon(self, record: VersionRecord) -> None:
        """The answer of whoever asked tells of the transition; the next one that it is over.

        The package is stored, and that is all that Active means. What the engine needs is got
        ready meanwhile; where it cannot be, the first invocation says so.
        """
        asyncio.get_running_loop().call_soon(self._settle, record)
        self._tasks.spawn(self._prepare(record), f"prepare {record.name}")

    def _settle(self, record: VersionRecord) -> None:
        """Unless another change was begun meanwhile."""
        now = self.registry.version(record.name, record.version)
        if now is not None and now.document.get("RevisionId") == record.document["RevisionId"]:
            self.registry.put(replace(now, document=settled(now.document)))

    async def _prepare(self, record: VersionRecord) -> None:
        assert record.deployed is not None
        with suppress(LambdashError):
            spec = await asyncio.to_thread(self._spec, record.deployed.revision)
            await self._engine.prepare(spec, silent)


def is_pending(document: Any) -> bool:
    """Whether the function is being made."""
    return bool(document.get("State") == "Pending")


def is_updating(document: Any) -> bool:
    """Whether a change of it is on its way."""
    return bool(document.get("LastUpdateStatus") == "InProgress")
