"""A daemon that answers from a script, over a real unix socket: what the client's tests talk to."""

import base64
import json
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Event = dict[str, Any]
# Events to stream, or (status, error) to refuse with
Answer = Sequence[Event] | tuple[int, Event]
Script = Mapping[str, Answer | Callable[[Event], Answer]]


def succeeded(payload: bytes = b'{"ok":true}', **more: Any) -> Event:
    """A warm invoke's result event."""
    return {
        "event": "result",
        "payload_base64": base64.b64encode(payload).decode(),
        "outcome": "succeeded",
        "start": "warm",
        "timings_ms": {"total": 1.6, "duration": 1.2, "overhead": 0.4},
        "request_id": "11111111-2222-3333-4444-555555555555",
        "function_error": None,
        "log_tail": None,
        "environment": "hello-1",
        "sandbox": "process:1",
        "error": None,
        **more,
    }


class ScriptedDaemon:
    """Serves until closed; ``requests`` holds (verb, headers, body) in order of arrival.

    ``disconnected`` is set when a client went away before the answer's end.
    """

    def __init__(self, path: Path, script: Script, pid: int | None = None) -> None:
        self.path = path
        self.script = dict(script)
        self.pid = pid if pid is not None else os.getpid()
        self.requests: list[tuple[str, dict[str, str], Event]] = []
        self.disconnected = threading.Event()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> "ScriptedDaemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._listener.close()
        self._thread.join(10)
        self.path.unlink(missing_ok=True)

    def verbs(self) -> list[str]:
        return [verb for verb, _, _ in self.requests if verb != "health"]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except (BrokenPipeError, ConnectionResetError):
                    self.disconnected.set()

    def _answer(self, connection: socket.socket) -> None:
        request = _read_request(connection)
        if request is None:
            return
        self.requests.append(request)
        verb, _, body = request
        if verb == "health":
            _send(connection, 200, {"status": "serving", "pid": self.pid})
            return
        answer = self.script[verb]
        events = answer(body) if callable(answer) else answer
        if isinstance(events, tuple):
            _send(connection, events[0], {"error": events[1]})
            return
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for event in events:
            if event.get("event") == "vanish":
                return
            if event.get("event") == "hang":
                connection.recv(1)
                self.disconnected.set()
                return
            line = json.dumps(event).encode() + b"\n"
            # An event is split over two chunks: their borders mean nothing
            for part in (line[:7], line[7:]):
                connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")


def _read_request(connection: socket.socket) -> tuple[str, dict[str, str], Event] | None:
    with connection.makefile("rb") as reader:
        first = reader.readline().decode().split(" ")
        if len(first) < 2:
            return None
        headers: dict[str, str] = {}
        while line := reader.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name] = value
        content = reader.read(int(headers.get("content-length", "0")))
    return first[1].removeprefix("/v1/"), headers, json.loads(content or b"{}")


def _send(connection: socket.socket, status: int, document: Event) -> None:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} Status\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
