"""Listeners: the bounded HTTP/1.1 server that carries every HTTP face of lambdash."""

import asyncio
import errno
from contextlib import suppress
from pathlib import Path

from lambdash import limits
from lambdash.errors import PlatformError
from lambdash.http.bounds import HttpBounds
from lambdash.http.connections import Connections
from lambdash.http.protocol import HttpProtocol
from lambdash.http.request import Request
from lambdash.http.responder import Responder, ResponseMisuse
from lambdash.http.upload import BodySink, Handler, StreamHandler

__all__ = [
    "BodySink",
    "Connections",
    "Handler",
    "HttpBounds",
    "HttpProtocol",
    "HttpServer",
    "Request",
    "Responder",
    "ResponseMisuse",
    "StreamHandler",
    "serve_tcp",
    "serve_unix",
]


class HttpServer:
    """A listener that serves until ``close``."""

    def __init__(
        self, server: asyncio.Server, connections: Connections, path: Path | None = None
    ) -> None:
        self._server = server
        self._path = path
        self._inode = None if path is None else path.stat().st_ino
        self.connections = connections

    @property
    def port(self) -> int:
        """The TCP port that is listened on; 0 for a unix socket."""
        if self._path is not None or not self._server.sockets:
            return 0
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self, grace_s: float = limits.HTTP_CLOSE_GRACE_S) -> None:
        """Stop listening, let owed answers go out for ``grace_s`` seconds, then cut the rest."""
        self._server.close()
        if self._path is not None:
            with suppress(FileNotFoundError):
                if self._path.stat().st_ino == self._inode:
                    self._path.unlink()
        await self.connections.close(grace_s)


async def serve_tcp(handler: Handler, host: str, port: int, bounds: HttpBounds) -> HttpServer:
    """Listen on ``host``:``port`` (0: any free one).

    Raises ``PlatformError``: ``port-in-use``, else ``cannot-listen``.
    """
    connections = Connections(bounds)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: HttpProtocol(handler, bounds, connections), host, port
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PlatformError(
                "port-in-use",
                f"port {port} of {host} is in use",
                "choose another port, or stop what listens there",
            ) from error
        raise _cannot_listen(f"{host}:{port}", error) from error
    return HttpServer(server, connections)


async def serve_unix(handler: Handler, path: Path, bounds: HttpBounds) -> HttpServer:
    """Listen on a unix socket that only its owner may use; a stale one at ``path`` is replaced.

    Raises ``PlatformError`` ``cannot-listen``.
    """
    connections = Connections(bounds)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_unix_server(
            lambda: HttpProtocol(handler, bounds, connections), path
        )
        return _owned(server, connections, path)
    except OSError as error:
        raise _cannot_listen(str(path), error) from error


def _owned(server: asyncio.Server, connections: Connections, path: Path) -> HttpServer:
    path.chmod(0o600)
    return HttpServer(server, connections, path)


def _cannot_listen(where: str, error: OSError) -> PlatformError:
    return PlatformError(
        "cannot-listen",
        f"cannot listen on {where}: {error.strerror or error}",
        "check the address and the permissions of its folder",
    )
