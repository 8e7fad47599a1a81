"""Content-addressed volumes, for engines that cannot see this machine's files.

A volume is filled through the archive API of a container that is created but never started. A
second, empty volume named ``<name>-complete`` says that the filling ended, so that one which was
cut short is filled again rather than used.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from io import BytesIO

from lambdash.engines.docker import labels, specs
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.labels import Owner
from lambdash.errors import PlatformError
from lambdash.tasks import Tasks

Archive = BytesIO | tempfile.SpooledTemporaryFile[bytes]
_TARGET = "/fill"


class VolumeStore:
    """Volumes of one store, named by what they hold; filled once, read-only to who mounts them."""

    def __init__(self, connection: Connection, owner: Owner, tasks: Tasks, store: str) -> None:
        self._connection = connection
        self._owner = owner
        self._tasks = tasks
        self._store = store
        self._filled: dict[str, asyncio.Task[str]] = {}

    async def ensure(self, digest: str, image: str, archive: Callable[[], Archive]) -> str:
        """The volume's name; callers at once wait for one filling. ``image`` is any small one."""
        task = self._filled.get(digest)
        if task is None or (task.done() and task.exception() is not None):
            task = self._tasks.spawn(self._ensure(digest, image, archive), "fill a volume")
            self._filled[digest] = task
        return await asyncio.shield(task)

    async def _ensure(self, digest: str, image: str, archive: Callable[[], Archive]) -> str:
        # two stores share none: pruning one takes nothing from the other
        identity = hashlib.sha256(f"{self._store} {digest}".encode())
        name = f"lambdash-{identity.hexdigest()[:32]}"
        complete = f"{name}-complete"
        if await self._exists(name) and await self._exists(complete):
            return name
        await self._create(name)
        await self._fill(name, image, await asyncio.to_thread(archive))
        await self._create(complete)
        return name

    async def _exists(self, name: str) -> bool:
        try:
            await self._connection.call(self._connection.api.inspect_volume, name)
        except EngineRefused as refusal:
            if refusal.status != 404:
                raise
            return False
        return True

    async def _create(self, name: str) -> None:
        api = self._connection.api
        await self._connection.call(
            api.create_volume, name, labels=labels.store_labels(self._store)
        )

    async def _fill(self, name: str, image: str, archive: Archive) -> None:
        connection, api = self._connection, self._connection.api
        mount = specs.volume(name, _TARGET, read_only=False)
        body = specs.probe(self._owner, image, [mount], [])
        body["HostConfig"]["ReadonlyRootfs"] = False
        container = (await connection.call(api.create_container_from_config, body))["Id"]
        try:
            with archive:
                if not await connection.call(api.put_archive, container, _TARGET, archive):
                    raise PlatformError(
                        "volume-not-filled", f"the engine did not fill volume {name}"
                    )
        finally:
            await connection.forget_missing(api.remove_container, container, force=True)
