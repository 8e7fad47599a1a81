"""The container engine's socket: spoken to directly, or through a proxy that counts requests."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ENGINE = Path("/var/run/docker.sock")
_REQUEST = re.compile(rb"(?:^|\n)((?:GET|POST|PUT|DELETE|HEAD) \S+) HTTP/1\.1\r\n")


class RawEngine:
    """The Engine API over one kept-alive connection, with nothing in between."""

    def __init__(self, path: Path = ENGINE) -> None:
        self._connection = _UnixConnection(path)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answered, None for none; raises ``RuntimeError`` with the engine's words."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read().decode()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {text}")
        return json.loads(text) if text else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=120.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120.0)
        self.sock.connect(str(self._path))


class CountingProxy:
    """Passes bytes both ways; ``requests`` are the method and target of each that clients sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with their clients."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(str(ENGINE))
                for arguments in ((client, engine, True), (engine, client, False)):
                    threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, count: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if count:
                    self.requests += [found.decode() for found in _REQUEST.findall(data)]
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting_proxy(path: Path) -> Iterator[CountingProxy]:
    """A proxy in front of the engine's socket."""
    proxy = CountingProxy(path)
    try:
        yield proxy
    finally:
        proxy.close()
