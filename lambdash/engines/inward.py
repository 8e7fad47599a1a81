"""Connections made inside a sandbox at the daemon's wish: to what an extension listens at."""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from lambdash import limits
from lambdash.errors import PlatformError


@dataclass(slots=True)
class _Asked:
    port: int
    protocol: Callable[[], asyncio.Protocol]
    answered: "asyncio.Future[socket.socket | asyncio.Transport]"


class InwardConnections:
    """Those of one launcher that are being made; ``ask`` sends it a token and a port."""

    def __init__(self, ask: Callable[[int, int], None]) -> None:
        self._ask = ask
        self._asked: dict[int, _Asked] = {}
        self._last = 0

    async def connect(
        self, port: int, protocol: Callable[[], asyncio.Protocol]
    ) -> asyncio.Transport:
        """Raises ``PlatformError`` (``sandbox-refused``), also when nobody answers in time."""
        if len(self._asked) >= limits.SANDBOX_CONNECTING_MAX:
            raise _refused(port, "too many connections are being made")
        self._last = token = (self._last + 1) % 2**32
        asked = _Asked(port, protocol, asyncio.get_running_loop().create_future())
        self._asked[token] = asked
        try:
            async with asyncio.timeout(limits.SANDBOX_CONNECT_MAX_S):
                self._ask(token, port)
                made = await asked.answered
                return await _adopt(made, protocol) if isinstance(made, socket.socket) else made
        except (OSError, TimeoutError) as error:
            raise _refused(port, str(error) or "nobody answers") from error
        finally:
            del self._asked[token]

    def arrived(self, token: int, connection: socket.socket) -> None:
        """The launcher passed a connection; one that nobody waits for any more is closed."""
        asked = self._asked.get(token)
        if asked is None or asked.answered.done():
            connection.close()
        else:
            asked.answered.set_result(connection)

    def protocol(self, token: int) -> asyncio.Protocol | None:
        """The protocol for a connection that the launcher relays; None when nobody waits."""
        asked = self._asked.get(token)
        return None if asked is None or asked.answered.done() else asked.protocol()

    def opened(self, token: int, transport: asyncio.Transport) -> None:
        """The relayed connection whose protocol was asked for."""
        self._asked[token].answered.set_result(transport)

    def refused(self, token: int, number: int) -> None:
        """The launcher could not connect; ``number`` is its errno."""
        asked = self._asked.get(token)
        if asked is not None and not asked.answered.done():
            asked.answered.set_exception(_refused(asked.port, os.strerror(number)))

    def close(self) -> None:
        """The launcher is gone."""
        for asked in self._asked.values():
            if not asked.answered.done():
                asked.answered.set_exception(_refused(asked.port, "the sandbox has ended"))


async def _adopt(
    connection: socket.socket, protocol: Callable[[], asyncio.Protocol]
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    try:
        await _writable(loop, connection)
        problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))
        transport, _ = await loop.create_connection(protocol, sock=connection)
    except BaseException:
        connection.close()
        raise
    return transport


async def _writable(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    """Until the connection is made, or was refused."""
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connection, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(connection)


def _refused(port: int, why: str) -> PlatformError:
    return PlatformError(
        "sandbox-refused",
        f"nothing in the sandbox takes a connection to port {port}: {why}",
        "the extension that subscribed has to listen there",
    )
