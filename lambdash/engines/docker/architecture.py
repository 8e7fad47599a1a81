"""Which processors' programs the engine can run: its own, and those it was shown to emulate."""

import asyncio
from pathlib import Path

from lambdash.engines import launcher
from lambdash.engines.docker import files, specs
from lambdash.engines.docker.connection import EngineRefused
from lambdash.engines.docker.namespaces import Workshop
from lambdash.engines.docker.pause_image import PauseImage
from lambdash.errors import CallerError, PlatformError

_NAMES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


class Architectures:
    """Emulation is tried once per architecture, with a pause container of that kind."""

    def __init__(self, workshop: Workshop, pauses: PauseImage, store: Path) -> None:
        self._shop = workshop
        self._pauses = pauses
        self._store = store
        machine = workshop.connection.machine
        self.own = _NAMES.get(machine, machine)
        self._runs: dict[str, bool] = {self.own: True}

    async def check(self, reference: str, image: str, wanted: str) -> None:
        """Raises ``CallerError`` (``architecture-differs``) or ``PlatformError``
        (``architecture-unsupported``).
        """
        has = _NAMES.get(image, image)
        if has != wanted:
            raise CallerError(
                "architecture-differs",
                f"image {reference} is for {has}, the function asks for {wanted}",
                f"set `architecture: {has}`, or use an image for {wanted}",
            )
        if has not in self._runs:
            self._runs[has] = await self._emulates(has)
        if not self._runs[has]:
            raise PlatformError(
                "architecture-unsupported",
                f"this engine runs {self.own} and cannot emulate {has}, as {reference} needs",
                f"set `architecture: {self.own}`, or install QEMU's binfmt handlers on the engine",
            )

    async def _emulates(self, architecture: str) -> bool:
        connection, api = self._shop.connection, self._shop.connection.api
        source = await asyncio.to_thread(launcher.binary, architecture)
        kept = await asyncio.to_thread(files.keep, source, self._store, "launcher", 0o755)
        image = await self._pauses.ensure(kept.path, kept.digest)
        body = specs.probe(self._shop.owner, image, [], [])
        body["Entrypoint"] = ["/launcher", "pause"]
        container = (await connection.call(api.create_container_from_config, body))["Id"]
        try:
            await connection.call(api.start, container)
            state = await connection.call(api.inspect_container, container)
            return bool(state["State"]["Running"])
        except EngineRefused:
            return False
        finally:
            await connection.forget_missing(api.remove_container, container, force=True, v=True)
