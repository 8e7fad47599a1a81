"""The image of pause and probe containers: nothing but the launcher's binary."""

import asyncio
from pathlib import Path

from lambdash.engines.docker import labels
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.files import executable_archive
from lambdash.tasks import Tasks

_REPOSITORY = "lambdash/pause"


class PauseImage:
    """Made once per engine and launcher; the tag is the binary's digest."""

    def __init__(self, connection: Connection, tasks: Tasks) -> None:
        self._connection = connection
        self._tasks = tasks
        self._made: dict[str, asyncio.Task[str]] = {}

    async def ensure(self, launcher: Path, digest: str) -> str:
        """The reference to use; concurrent callers wait for one import."""
        task = self._made.get(digest)
        if task is None or (task.done() and task.exception() is not None):
            task = self._tasks.spawn(self._ensure(launcher, digest), "pause image")
            self._made[digest] = task
        return await asyncio.shield(task)

    async def _ensure(self, launcher: Path, digest: str) -> str:
        tag = digest[:12]
        reference = f"{_REPOSITORY}:{tag}"
        api = self._connection.api
        try:
            await self._connection.call(api.inspect_image, reference)
        except EngineRefused as refusal:
            if refusal.status != 404:
                raise
            marks = [f"LABEL {name}={value}" for name, value in labels.image_labels().items()]
            await self._connection.call(
                api.import_image_from_data,
                await asyncio.to_thread(executable_archive, "launcher", launcher),
                repository=_REPOSITORY,
                tag=tag,
                changes=marks,
            )
        return reference
