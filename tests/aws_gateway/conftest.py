"""The services beside Lambda on the one endpoint, spoken to by boto3."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdash.aws_gateway.services import doors
from lambdash.clock import SystemClock
from lambdash.lambda_api.listener import Companion, LambdaApi
from tests.emulator.conftest import Rig, echo, make_rig

__all__ = ["make_rig"]


@dataclass
class Aws:
    """Calls run in a thread, off the server's loop. Parameters are checked by us, not by boto3."""

    rig: Rig
    port: int
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self._client(service)
        return self.clients[service]

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(
                retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False
            ),
        )

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        def send() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self.client(service), operation)(**parameters)
            return answer

        answer = await asyncio.to_thread(send)
        assert answer.pop("ResponseMetadata")["RequestId"]
        return answer

    async def refused(self, service: str, operation: str, **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            await self.call(service, operation, **parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    async def post(self, body: str, **headers: str) -> tuple[int, bytes]:
        """A request made by hand; header names are given with underscores."""

        def send() -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", "/", body, fields)
            answer = connection.getresponse()
            found = answer.status, answer.read()
            connection.close()
            return found

        return await asyncio.to_thread(send)


@pytest.fixture
async def make_aws(
    make_rig: Callable[..., Awaitable[Rig]],
) -> AsyncIterator[Callable[..., Awaitable[Aws]]]:
    closers: list[Callable[[], Awaitable[None]]] = []
    made: list[Aws] = []

    async def make(make_handler: Callable[[], Any] = lambda: echo) -> Aws:
        rig = await make_rig(make_handler)
        services = doors(rig.emulator, SystemClock())
        companions = [Companion(door.matches, door.handle) for door in services]
        api = LambdaApi(rig.emulator, lambda: None, companions=companions)
        server = await api.listen(0)
        closers.extend([api.close, *(door.close for door in services), server.close])
        made.append(Aws(rig, server.port))
        return made[-1]

    yield make
    for one in made:
        one.close()
    for close in reversed(closers):
        await close()


@pytest.fixture
async def aws(make_aws: Callable[..., Awaitable[Aws]]) -> Aws:
    return await make_aws()
