"""The AWS endpoint, over plain HTTP."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One keep-alive connection to the endpoint."""

    def __init__(self, endpoint: str, timeout_s: float = 60.0) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout_s)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def invoke(self, function: str, payload: bytes, **headers: str) -> Answer:
        return self.send("POST", f"/2015-03-31/functions/{function}/invocations", payload, headers)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        self._connection.request(method, path, body, named)
        with self._connection.getresponse() as answered:
            received = {name.lower(): value for name, value in answered.getheaders()}
            return Answer(answered.status, received, answered.read())


def invoke(endpoint: str, function: str, payload: object, **headers: str) -> Answer:
    """One invocation on a connection of its own."""
    with Caller(endpoint) as caller:
        return caller.invoke(function, json.dumps(payload).encode(), **headers)
