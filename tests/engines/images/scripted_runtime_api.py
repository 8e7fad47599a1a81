"""A Runtime API that plays a script of events and records what the runtime answers."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime"
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Posted:
    """One answer of the runtime: ``kind`` is ``response``, ``error`` or ``init-error``.

    Trailers stand among the headers.
    """

    kind: str
    request_id: str
    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class ScriptedRuntimeApi:
    """``events`` are handed out in order; afterwards ``/next`` waits, as AWS's does."""

    def __init__(self, events: list[bytes], host: str) -> None:
        self.posted: queue.Queue[Posted] = queue.Queue()
        self.idle = threading.Event()
        self._events = iter(enumerate(events))
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._server = ThreadingHTTPServer((host, 0), self._handler_class())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def answer(self) -> Posted:
        return self.posted.get(timeout=PATIENCE_S)

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next_event(self) -> tuple[str, bytes] | None:
        with self._lock:
            found = next(self._events, None)
        return None if found is None else (f"request-{found[0] + 1}", found[1])

    def wait_forever(self) -> None:
        self.idle.set()
        self._closed.wait()

    def _handler_class(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                found = api.next_event()
                if found is None:
                    api.wait_forever()
                    self.close_connection = True
                    return
                request_id, body = found
                self.send_response(200)
                for name, value in _next_headers(request_id, body).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                chunked = self.headers.get("Transfer-Encoding") == "chunked"
                trailers: dict[str, str] = {}
                if chunked:
                    body, trailers = self._chunked()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                route = self.path.removeprefix(PREFIX).strip("/").split("/")
                init = route[0] == "init"
                kind, request_id = ("init-error", "") if init else (route[2], route[1])
                headers = {name.lower(): value for name, value in self.headers.items()}
                headers |= trailers
                api.posted.put(Posted(kind, request_id, body, headers))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _chunked(self) -> tuple[bytes, dict[str, str]]:
                body, trailers = b"", {}
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while line := self.rfile.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    trailers[name.lower()] = value
                return body, trailers

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        return Handler


def _next_headers(request_id: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Lambda-Runtime-Aws-Request-Id": request_id,
        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": (
            "arn:aws:lambda:us-east-1:000000000000:function:probe"
        ),
        "Lambda-Runtime-Trace-Id": f"Root=1-{request_id};Sampled=0",
        "Lambda-Runtime-Client-Context": '{"custom":{"key":"value"}}',
    }


@contextmanager
def scripted(*events: Any, host: str = "127.0.0.1") -> Iterator[ScriptedRuntimeApi]:
    """Each event is JSON-encoded, bytes are taken as they are."""
    encoded = [
        event if isinstance(event, bytes) else json.dumps(event).encode() for event in events
    ]
    api = ScriptedRuntimeApi(encoded, host)
    try:
        yield api
    finally:
        api.close()
