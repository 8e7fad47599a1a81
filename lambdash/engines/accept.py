"""Accepts connections on a listening socket that a launcher opened in its sandbox."""

import asyncio
import socket
from collections.abc import Callable
from typing import TypeAlias

MakeProtocol: TypeAlias = Callable[[], asyncio.Protocol]

_ACCEPTS_PER_TURN = 16
_RETRY_S = 0.1


class Acceptor:
    """Owns the listening socket and every connection accepted from it.

    Beyond ``maximum`` of them a new connection is closed at once.
    """

    def __init__(self, listener: socket.socket, maximum: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._maximum = maximum
        self._protocol: MakeProtocol | None = None
        self._transports: set[asyncio.WriteTransport] = set()
        self._adopting: dict[socket.socket, asyncio.Task[None]] = {}
        self._retry: asyncio.TimerHandle | None = None
        listener.settimeout(0)

    @property
    def open_connections(self) -> int:
        self._transports = {each for each in self._transports if not each.is_closing()}
        return len(self._transports) + len(self._adopting)

    def resume(self, protocol: MakeProtocol) -> None:
        """Accept; ``protocol`` makes one for each connection."""
        self._protocol = protocol
        self._listen()

    def _listen(self) -> None:
        self._retry = None
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self.accept_waiting)

    def accept_waiting(self) -> None:
        """Take what is waiting, a bounded number at a time."""
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError:
                self._pause()
                return
            self._take(connection)

    def _pause(self) -> None:
        """No descriptor is left, say: look again shortly rather than spin."""
        self._loop.remove_reader(self._listener)
        if self._retry is None:
            self._retry = self._loop.call_later(_RETRY_S, self._listen)

    def _take(self, connection: socket.socket) -> None:
        if self._protocol is None or self.open_connections >= self._maximum:
            connection.close()
            return
        connection.settimeout(0)  # asyncio sets TCP_NODELAY itself
        task = self._loop.create_task(self._adopt(connection, self._protocol))
        self._adopting[connection] = task
        task.add_done_callback(lambda done: self._adopted(connection, done))

    async def _adopt(self, connection: socket.socket, protocol: MakeProtocol) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()
            return
        self._adopting.pop(connection, None)
        self._transports.add(transport)

    def _adopted(self, connection: socket.socket, done: asyncio.Task[None]) -> None:
        self._adopting.pop(connection, None)
        if done.cancelled():  # perhaps before its first step
            connection.close()

    def abort(self) -> None:
        """End every connection and accept no more until ``resume``."""
        self._protocol = None
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for task in list(self._adopting.values()):
            task.cancel()
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    def close(self) -> None:
        self.abort()
        self._listener.close()
