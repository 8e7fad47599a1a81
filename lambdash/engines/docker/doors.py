"""How one launcher reaches the daemon: a unix socket of its own, or the relay."""

import os
from pathlib import Path
from typing import Protocol

from lambdash.engines.channel import Channel, ControlListener
from lambdash.engines.docker import specs
from lambdash.engines.docker.specs import Control


class Door(Protocol):
    """One launcher's way in. ``accept`` is called once; ``close`` always, at the end."""

    control: Control

    async def accept(self, timeout_s: float) -> Channel: ...

    def close(self) -> None: ...


class SocketDoor:
    """Where the kernel is shared: descriptors pass over a socket that nobody else is given."""

    def __init__(self, listener: ControlListener, path: Path) -> None:
        self._listener = listener
        self.control = specs.control_by_socket(os.fspath(path))

    @classmethod
    async def open(cls, folder: Path, name: str) -> "SocketDoor":
        """Raises ``PlatformError`` (``socket-path-too-long``) when the folder's path is long."""
        path = folder / f"{name}.sock"
        return cls(await ControlListener.open(path), path)

    async def accept(self, timeout_s: float) -> Channel:
        return await self._listener.accept(timeout_s)

    def close(self) -> None:
        self._listener.close()


class Doors(Protocol):
    """Opens one door per environment."""

    async def open(self, name: str) -> Door: ...

    async def close(self) -> None: ...


class SocketDoors:
    """``folder`` is private to this user; each path is unlinked once its launcher has connected."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    async def open(self, name: str) -> Door:
        return await SocketDoor.open(self._folder, name)

    async def close(self) -> None:
        """Nothing stays open between launches."""
