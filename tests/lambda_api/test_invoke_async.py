"""InvokeAsync through boto3."""

import asyncio
import warnings
from typing import Any

import pytest

from lambdash import limits
from tests.lambda_api.client import refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint


async def test_the_event_reaches_the_function(make_endpoint: MakeEndpoint) -> None:
    got: asyncio.Queue[Any] = asyncio.Queue()

    async def handle(event: Any) -> None:
        got.put_nowait(event)

    endpoint = await make_endpoint(lambda: handle)
    await endpoint.rig.deploy()
    await endpoint.rig.emulator.start()

    def use(aws: Any) -> None:
        answer = aws.invoke_async(FunctionName="hello", InvokeArgs=b'{"n": 1}')
        assert answer["Status"] == answer["ResponseMetadata"]["HTTPStatusCode"] == 202

    with warnings.catch_warnings(action="ignore"):
        await using(endpoint, use)
    assert await asyncio.wait_for(got.get(), 10) == {"n": 1}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"FunctionName": "none", "InvokeArgs": b"{}"}, 404, "ResourceNotFoundException"),
        ({"InvokeArgs": b"{"}, 400, "InvalidRequestContentException"),
        (
            {"InvokeArgs": b'"%s"' % (b"x" * limits.ASYNC_PAYLOAD_MAX_BYTES)},
            413,
            "RequestTooLargeException",
        ),
    ],
)
async def test_what_is_refused(
    endpoint: Endpoint, asked: dict[str, Any], status: int, code: str
) -> None:
    told = await refused(endpoint, "invoke_async", **{"FunctionName": "hello", **asked})
    assert told[:2] == (status, code)
