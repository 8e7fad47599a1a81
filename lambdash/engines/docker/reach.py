"""What the engine can see of this machine: asked once per engine, with a throw-away container."""

import asyncio
import hashlib
import json
import secrets
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from lambdash import limits
from lambdash.engines.channel import ControlListener
from lambdash.engines.docker import specs
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.files import only_member
from lambdash.engines.docker.labels import Owner
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


class ReachMemory:
    """The best answer is kept beside the store, so that a daemon's start costs no container.

    Keyed by the engine's own id and both folders. Lesser answers are asked for again each time.
    """

    def __init__(self, connection: Connection, folders: ProbeFolders) -> None:
        self._connection = connection
        self._folders = folders
        self._path: Path | None = None

    async def recall(self) -> Reach | None:
        """What was learnt before, if this engine has an id and was asked."""
        document = await self._connection.call(self._connection.api.info)
        identity = document.get("ID")
        if not identity:
            return None
        where = f"{identity}\n{self._folders.store}\n{self._folders.runtime.parent}"
        name = hashlib.sha256(where.encode()).hexdigest()[:32]
        self._path = self._folders.store / "engines" / f"{name}.json"
        try:
            return Reach(**json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, reach: Reach) -> None:
        """Remember ``reach`` if it is the best there is."""
        if self._path is not None and reach == Reach(bind=True, same_kernel=True):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(asdict(reach)))

    def forget(self) -> None:
        """It turned out to be wrong."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


async def probe(connection: Connection, owner: Owner, image: str, folders: ProbeFolders) -> Reach:
    """Whether a nonce can be read back through a bind, and whether a launcher's greeting comes.

    What it made is removed again.
    """
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
