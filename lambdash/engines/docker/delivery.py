"""How files reach containers: by bind where the engine sees them, else by volume."""

from dataclasses import dataclass
from pathlib import Path

from lambdash.engines.docker import specs
from lambdash.engines.docker.files import StoredFile, archive
from lambdash.engines.docker.specs import Mount
from lambdash.engines.docker.volumes import VolumeStore


@dataclass(frozen=True, slots=True)
class Delivery:
    """Mounts for trees and files, by the way the engine allows; ``image`` is any small one."""

    bind: bool
    volumes: VolumeStore
    image: str

    async def tree(self, source: Path, digest: str, target: str) -> Mount:
        """A folder that never changes, read-only at ``target``."""
        if self.bind:
            return specs.bind(str(source), target)
        name = await self.volumes.ensure(digest, self.image, lambda: archive(source))
        return specs.volume(name, target)

    async def file(self, stored: StoredFile, folder: str) -> Mount:
        """A stored file, at ``folder`` and its own name."""
        return await self.tree(stored.folder, stored.digest, folder)
