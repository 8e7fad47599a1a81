"""How one launcher reaches the daemon: a unix socket of its own, or the relay."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lambdash.engines.channel import Channel, ControlListener
from lambdash.engines.docker import specs
from lambdash.engines.docker.specs import Control
from lambdash.engines.relay import RelayListener, new_secret
from lambdash.errors import PlatformError

_VARIABLE = "LAMBDASH_RELAY_ADDRESS"


class Door(Protocol):
    """One launcher's way in. ``accept`` is called once; ``close`` always, at the end."""

    @property
    def control(self) -> Control: ...

    async def accept(self, timeout_s: float) -> Channel: ...

    def close(self) -> None: ...


class Doors(Protocol):
    """Opens one door per environment; ``close`` ends what they share."""

    async def open(self, name: str) -> Door: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _SocketDoor:
    listener: ControlListener
    control: Control

    async def accept(self, timeout_s: float) -> Channel:
        return await self.listener.accept(timeout_s)

    def close(self) -> None:
        self.listener.close()


class SocketDoors:
    """Where the kernel is shared: descriptors pass over a socket that nobody else is given.

    ``folder`` is this project's alone; each path is unlinked once its launcher has connected.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self, name: str) -> Door:
        """Raises ``PlatformError`` (``socket-path-too-long``) when the folder's path is long."""
        path = self._folder / f"{name}.sock"
        listener = await ControlListener.open(path)
        return _SocketDoor(listener, specs.control_by_socket(os.fspath(path)))

    def close(self) -> None:
        """Nothing is shared between doors."""


@dataclass(frozen=True, slots=True)
class _RelayDoor:
    waiting: asyncio.Future[Channel]
    control: Control

    async def accept(self, timeout_s: float) -> Channel:
        try:
            async with asyncio.timeout(timeout_s):
                return await self.waiting
        except TimeoutError as error:
            raise PlatformError(
                "launcher-silent",
                f"no launcher reached the relay within {timeout_s:g} s",
                f"set {_VARIABLE} to an address of this machine that the engine's containers reach",
            ) from error

    def close(self) -> None:
        self.waiting.cancel()


class RelayDoors:
    """For engines of another kernel: one listener, a secret per launcher."""

    def __init__(self, listener: RelayListener, host: str) -> None:
        self._listener = listener
        self._host = host

    @classmethod
    async def listen(cls, environ: Mapping[str, str]) -> "RelayDoors":
        """Listen where containers can reach us.

        That is ``LAMBDASH_RELAY_ADDRESS``, an address or name of this machine, where it is set;
        else the loopback, which engines in a virtual machine of this one reach as
        ``host.docker.internal``.
        """
        named = environ.get(_VARIABLE)
        if not named:
            return cls(await RelayListener.open("127.0.0.1"), "host.docker.internal")
        address = await _resolve(named)
        return cls(await RelayListener.open(address), address)

    async def open(self, name: str) -> Door:
        secret = new_secret()
        waiting = asyncio.ensure_future(self._listener.expect(secret))
        return _RelayDoor(waiting, specs.control_by_relay(self._host, self._listener.port, secret))

    def close(self) -> None:
        self._listener.close()


async def _resolve(name: str) -> str:
    """The launcher is static and asks no name service, so the daemon does."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None)
    except OSError as error:
        raise PlatformError(
            "relay-listen", f"{_VARIABLE} is `{name}`, which has no address: {error}"
        ) from error
    return str(found[0][4][0])


def fresh_folder(runtime_dir: Path, project: str) -> Path:
    """The project's own folder for sockets, empty: what a killed daemon left in it is gone."""
    folder = runtime_dir / project
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder
