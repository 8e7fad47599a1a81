"""How files reach containers: by bind where the engine sees this machine's files, else by volume.

One probe per engine answers it, with a nonce file and a control socket mounted into a throw-away
container: whether the nonce can be read back, and whether descriptors pass over the socket.
"""

import asyncio
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambdash import limits
from lambdash.engines.channel import ControlListener
from lambdash.engines.docker import specs
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.files import StoredFile, archive, only_member
from lambdash.engines.docker.labels import Owner
from lambdash.engines.docker.specs import Mount
from lambdash.engines.docker.volumes import VolumeStore
from lambdash.errors import PlatformError


@dataclass(frozen=True, slots=True)
class Reach:
    """``bind``: the engine sees our files. ``same_kernel``: a socket's descriptors pass."""

    bind: bool
    same_kernel: bool


@dataclass(frozen=True, slots=True)
class ProbeFolders:
    """Where code and control sockets lie; the engine must see both to be given binds."""

    store: Path
    runtime: Path


async def probe(connection: Connection, owner: Owner, image: str, folders: ProbeFolders) -> Reach:
    """Ask the engine; what it made is removed again."""
    store = await asyncio.to_thread(_folder, folders.store)
    runtime = await asyncio.to_thread(_folder, folders.runtime)
    nonce = secrets.token_bytes(16)
    (store / "nonce").write_bytes(nonce)
    listener = await ControlListener.open(runtime / "s")
    mounts = [specs.bind(str(store), "/probe/store"), specs.bind(str(runtime), "/probe/runtime")]
    body = specs.probe(owner, image, mounts, ["LAMBDASH_CONTROL=/probe/runtime/s"])
    try:
        return await _ask(connection, body, listener, nonce)
    finally:
        listener.close()
        await asyncio.to_thread(shutil.rmtree, store, ignore_errors=True)
        await asyncio.to_thread(shutil.rmtree, runtime, ignore_errors=True)


def _folder(parent: Path) -> Path:
    """A fresh folder that any user of a container may enter."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="p", dir=parent))
    folder.chmod(0o755)
    return folder


async def _ask(
    connection: Connection, body: specs.Body, listener: ControlListener, nonce: bytes
) -> Reach:
    api = connection.api
    try:
        container = (await connection.call(api.create_container_from_config, body))["Id"]
    except EngineRefused:
        return Reach(bind=False, same_kernel=False)  # a bind source it does not see is refused
    try:
        if await _read(connection, container, "/probe/store/nonce") != nonce:
            return Reach(bind=False, same_kernel=False)
        await connection.call(api.start, container)
        channel = await listener.accept(limits.ENGINE_PROBE_TIMEOUT_S)
        channel.close()
    except PlatformError:
        return Reach(bind=True, same_kernel=False)
    finally:
        await connection.forget_missing(api.remove_container, container, force=True, v=True)
    return Reach(bind=True, same_kernel=True)


async def _read(connection: Connection, container: str, path: str) -> bytes | None:
    def read() -> bytes:
        chunks, _ = connection.api.get_archive(container, path)
        return only_member(b"".join(chunks))

    try:
        return await connection.call(read)
    except EngineRefused:
        return None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Mounts for trees and files, by the way that ``reach`` allows; ``image`` is any small one."""

    reach: Reach
    volumes: VolumeStore
    image: str

    async def tree(self, source: Path, digest: str, target: str) -> Mount:
        """A folder that never changes, read-only at ``target``."""
        if self.reach.bind:
            return specs.bind(str(source), target)
        name = await self.volumes.ensure(digest, self.image, lambda: archive(source))
        return specs.volume(name, target)

    async def file(self, stored: StoredFile, folder: str) -> Mount:
        """A stored file, at ``folder`` and its own name."""
        return await self.tree(stored.folder, stored.digest, folder)
