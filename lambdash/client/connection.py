"""The control protocol over the daemon's unix socket: one request, a stream of JSON lines back.

Raw ``socket`` and ``json`` only (``http.client`` costs more to import than a warm invoke takes).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping

import lambdash
from lambdash import limits
from lambdash.errors import LambdashError, PlatformError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader
    from typing import Any, TypeAlias

    Event: TypeAlias = dict[str, Any]

CONFLICT = 409


class DaemonError(LambdashError):
    """An error the daemon answered; ``status`` is the HTTP status it came with."""

    def __init__(self, error: Mapping[str, Any], exit_code: int = 3, status: int = 200) -> None:
        super().__init__(
            str(error.get("code", "daemon-error")),
            str(error.get("message", "the daemon reported an error without a message")),
            str(error.get("hint") or ""),
        )
        self.exit_code = exit_code
        self.status = status


class Connection:
    """One request to the daemon. Closing it, at Ctrl-C too, tells the daemon that nobody waits."""

    def __init__(self, stream: socket.socket) -> None:
        self._socket = stream
        self._reader: BufferedReader = stream.makefile("rb")

    @classmethod
    def open(cls, path: str) -> Connection:
        """Connect; raises ``OSError`` when nobody listens there."""
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(limits.CONTROL_CONNECT_TIMEOUT_S)
        try:
            stream.connect(path)
        except BaseException:
            stream.close()
            raise
        stream.settimeout(None)
        return cls(stream)

    def set_timeout(self, timeout_s: float | None) -> None:
        """Bound every later read and write; ``TimeoutError`` when it passes."""
        self._socket.settimeout(timeout_s)

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def call(self, verb: str, body: Event, headers: Mapping[str, str]) -> Iterator[Event]:
        """The answer's events in order; the last is the result.

        Raises ``DaemonError`` for an error event or status, ``PlatformError`` ``daemon-lost`` when
        the stream ends early. Closes the connection when done or abandoned.
        """
        try:
            self._send("POST", verb, headers, json.dumps(body).encode())
            status, chunks = self._receive()
            if status != 200:
                raise _status_error(status, b"".join(chunks))
            yield from _events(chunks)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _lost() from error
        finally:
            self.close()

    def health(self) -> Event:
        """``GET /v1/health``, within ``CONTROL_CONNECT_TIMEOUT_S``."""
        try:
            self.set_timeout(limits.CONTROL_CONNECT_TIMEOUT_S)
            self._send("GET", "health", {}, b"")
            status, chunks = self._receive()
            content = b"".join(chunks)
            if status != 200:
                raise _status_error(status, content)
            return _document(content)
        except OSError as error:
            raise _lost() from error
        finally:
            self.close()

    def _send(self, method: str, verb: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = [f"{method} /v1/{verb} HTTP/1.1", "host: lambdash", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode() + body)

    def _receive(self) -> tuple[int, Iterator[bytes]]:
        status_line = self._line()
        length, chunked = 0, False
        while line := self._line():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"transfer-encoding":
                chunked = value.strip().lower() == b"chunked"
        words = status_line.split(b" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            raise _lost()
        return int(words[1]), self._chunks() if chunked else iter((self._exactly(length),))

    def _line(self) -> bytes:
        line = self._reader.readline(limits.HTTP_HEAD_MAX_BYTES)
        if not line.endswith(b"\n"):
            raise _lost()
        return line.rstrip(b"\r\n")

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield self._exactly(size)
            self._line()

    def _exactly(self, size: int) -> bytes:
        if size > limits.CONTROL_LINE_MAX_BYTES:
            raise _lost()
        content = self._reader.read(size)
        if len(content) != size:
            raise _lost()
        return content


def request_headers(engine: str | None, env_vars: str | None) -> dict[str, str]:
    """What the daemon compares with itself before it obeys; it answers 409 where they differ."""
    headers = {"x-lambdash-version": lambdash.__version__}
    if engine is not None:
        headers["x-lambdash-engine"] = json.dumps(engine)[1:-1]
    if env_vars is not None:
        headers["x-lambdash-env-vars"] = json.dumps(env_vars)[1:-1]
    return headers


def _events(chunks: Iterator[bytes]) -> Iterator[Event]:
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        if len(pending) > limits.CONTROL_LINE_MAX_BYTES:
            raise _lost()
        for line in lines:
            event = _document(line)
            if event.get("event") == "error":
                raise DaemonError(event.get("error") or {}, int(event.get("exit_code", 3)))
            yield event
            if event.get("event") == "result":
                return
    raise _lost()


def _document(content: bytes) -> Event:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _lost() from error
    if not isinstance(document, dict):
        raise _lost()
    return document


def _status_error(status: int, content: bytes) -> DaemonError:
    document = _document(content)
    return DaemonError(document.get("error") or {}, int(document.get("exit_code", 3)), status)


def _lost() -> PlatformError:
    return PlatformError(
        "daemon-lost",
        "the daemon ended, or broke off, before it had answered",
        "run the command again: a new daemon removes what the old one left; its log is "
        "`.lambdash/daemon.log`",
    )
