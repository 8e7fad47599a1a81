"""Load: wrk for many connections, a raw socket for one."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PAYLOAD = '{"k":"v"}'
_SCRIPT = """
wrk.method = "POST"
wrk.body = '%s'
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('@@{"requests":%%d,"bad":%%d,"us":%%d,"p50_us":%%.1f,"p99_us":%%.1f}\\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration,
    latency:percentile(50), latency:percentile(99)))
end
"""


class LoadFailed(Exception):
    """The load generator is missing, or what it got was not the expected answer."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run's figures."""

    per_second: float
    p50_us: float
    p99_us: float


def wrk(url: str, connections: int, seconds: float) -> Load:
    """Closed-loop load over kept-alive connections from one thread; any bad answer raises."""
    if shutil.which("wrk") is None:
        raise LoadFailed("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_SCRIPT % PAYLOAD)
        duration = f"-d{max(1, round(seconds))}s"
        finished = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", duration, "--timeout", "30s", "-s", script, url],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"^@@(.*)$", finished.stdout, re.MULTILINE)
    if found is None:
        raise LoadFailed(f"wrk said: {finished.stdout} {finished.stderr}")
    told = json.loads(found[1])
    if told["bad"] or not told["requests"]:
        raise LoadFailed(f"{url} answered wrongly: {found[1]}")
    return Load(told["requests"] / (told["us"] / 1e6), told["p50_us"], told["p99_us"])


class RawClient:
    """One kept-alive connection, each request in one write, each answer timed.

    Acknowledges at once (``TCP_QUICKACK``): a server that writes head and body apart without
    ``TCP_NODELAY`` is not made to wait 40 ms for it.
    """

    def __init__(self, url: str, payload: str = PAYLOAD) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._socket = socket.create_connection((parts.hostname, parts.port), 60.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.hostname}:{parts.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n{payload}"
        ).encode()

    def call(self) -> tuple[float, bytes, bytes]:
        """Seconds taken, head and body of one answer of status 200."""
        begin = time.perf_counter()
        self._socket.sendall(self._request)
        head, body = self._answer()
        taken_s = time.perf_counter() - begin
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            raise LoadFailed(f"answered {head!r} {body!r}")
        return taken_s, head, body

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _answer(self) -> tuple[bytes, bytes]:
        data = self._more(b"")
        while b"\r\n\r\n" not in data:
            data = self._more(data)
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length is not None:
            while len(body) < int(length[1]):
                body = self._more(body)
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body = self._more(body)
        return head, body

    def _more(self, data: bytes) -> bytes:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        piece = self._socket.recv(65536)
        if not piece:
            raise LoadFailed("the connection was closed")
        return data + piece


@contextlib.contextmanager
def raw_client(url: str, payload: str = PAYLOAD) -> Iterator[RawClient]:
    """A client, closed at the end."""
    client = RawClient(url, payload)
    try:
        yield client
    finally:
        client.close()


def request_id(head: bytes) -> str:
    """What the head says the invocation's id is."""
    found = re.search(rb"(?i)\r\nx-amzn-requestid: *([^\r]+)", head)
    if found is None:
        raise LoadFailed(f"no request id in {head!r}")
    return found[1].decode()
