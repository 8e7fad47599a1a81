"""The Lambda API on a real port, over an emulator with the engine in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdash.http.budget import ByteBudget
from lambdash.http.server import HttpServer
from lambdash.lambda_api.listener import LambdaApi
from tests.emulator.conftest import Rig, echo, make_rig
from tests.http.wire import Peer

__all__ = ["make_rig"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """The listener, its emulator, and a client that sends exactly what a test says."""

    rig: Rig
    server: HttpServer
    used: list[None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def peer(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.server.port))

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Header names are given with underscores."""
        fields = {"Host": f"127.0.0.1:{self.server.port}", "Connection": "close"}
        fields |= {"Content-Length": str(len(body))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        peer = await self.peer()
        raw = await peer.exchange("\r\n".join([*lines, "", ""]).encode() + body)
        await peer.close()
        head, _, content = raw.partition(b"\r\n\r\n")
        status, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in rest)
        return Answer(
            int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, content
        )

    async def invoke(self, name: str = "hello", body: bytes = b"{}", **headers: str) -> Answer:
        return await self.send("POST", f"/2015-03-31/functions/{name}/invocations", body, **headers)


MakeEndpoint = Callable[..., Awaitable[Endpoint]]


@pytest.fixture
async def make_endpoint(make_rig: Callable[..., Awaitable[Rig]]) -> AsyncIterator[MakeEndpoint]:
    servers: list[HttpServer] = []

    async def make(
        make_handler: Callable[[], Any] = lambda: echo,
        bodies: ByteBudget | None = None,
        keys: dict[str, str] | None = None,
    ) -> Endpoint:
        rig = await make_rig(make_handler)
        used: list[None] = []
        api = LambdaApi(rig.emulator, lambda: used.append(None), bodies=bodies, keys=keys)
        server = await api.listen(0)
        servers.append(server)
        return Endpoint(rig, server, used)

    yield make
    for server in servers:
        await server.close(0.5)


@pytest.fixture
async def endpoint(make_endpoint: MakeEndpoint) -> Endpoint:
    """One deployed function, ``hello``, that answers its payload."""
    endpoint = await make_endpoint()
    await endpoint.rig.deploy()
    return endpoint
