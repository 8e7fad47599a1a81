"""The queues behind a real port, spoken to by boto3 and by hand-made forms."""

import asyncio
import http.client
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdash.aws_gateway.sqs.door import SqsDoor
from lambdash.http.server import HttpBounds, serve_tcp
from lambdash.messaging.sqs.service import SqsService


class ShiftingClock:
    """The machine's clock, which tests may set forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._loop = asyncio.get_running_loop()

    def monotonic(self) -> float:
        return self._loop.time() + self.ahead_s

    def epoch(self) -> float:
        return 1_800_000_000.0 + self._loop.time() + self.ahead_s

    def wall(self) -> Any:
        raise NotImplementedError


@dataclass
class Sqs:
    """A client of the queues; calls run in a thread, off the server's loop."""

    client: Any
    clock: ShiftingClock
    service: SqsService
    port: int

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        method = getattr(self.client, operation)
        answer: dict[str, Any] = await asyncio.to_thread(method, **parameters)
        answer.pop("ResponseMetadata")
        return answer

    async def refused(self, operation: str, **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            await self.call(operation, **parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    async def queue(self, name: str = "jobs", **attributes: str) -> str:
        url: str = (await self.call("create_queue", QueueName=name, Attributes=attributes))[
            "QueueUrl"
        ]
        return url

    async def bodies(self, url: str, **options: Any) -> list[str]:
        options = {"MaxNumberOfMessages": 10, **options}
        answer = await self.call("receive_message", QueueUrl=url, **options)
        return [message["Body"] for message in answer.get("Messages", ())]

    async def form(self, path: str = "/", **fields: str) -> tuple[int, ElementTree.Element]:
        """One request of the query protocol; the namespace is taken off the answer's tags."""

        def send() -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "Authorization": "AWS4-HMAC-SHA256 Credential=x/1/us-east-1/sqs/aws4_request",
            }
            connection.request("POST", path, urlencode(fields), headers)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body

        status, body = await asyncio.to_thread(send)
        root = ElementTree.fromstring(body)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return status, root


@pytest.fixture
async def make_sqs(tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Sqs]]]:
    closers: list[Callable[[], Awaitable[None]]] = []

    async def make() -> Sqs:
        clock = ShiftingClock()
        service = SqsService(tmp_path / "queues.sqlite", clock, "us-east-1", "000000000000")
        await service.start()
        door = SqsDoor(service)
        server = await serve_tcp(door.handle, "127.0.0.1", 0, HttpBounds(body_bytes=2_000_000))
        client = boto3.client(
            "sqs",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{server.port}",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"max_attempts": 1}, max_pool_connections=30),
        )

        async def close() -> None:
            client.close()
            await door.close()
            await server.close()
            await service.close()

        closers.append(close)
        return Sqs(client, clock, service, server.port)

    yield make
    for close in reversed(closers):
        await close()


@pytest.fixture
async def sqs(make_sqs: Callable[[], Awaitable[Sqs]]) -> Sqs:
    return await make_sqs()
