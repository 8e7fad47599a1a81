"""InvokeWithResponseStream as boto3 reads it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from lambdash.lambda_api.streaming import frame
from lambdash.model import Scaling
from lambdash.testing import Handler, Streamed
from tests.lambda_api.client import refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint

PATH = "/2021-11-15/functions/hello/response-streaming-invocations"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def answering(*parts: bytes, **more: Any) -> Callable[[], Handler]:
    async def handler(event: Any) -> Any:
        if event.get("raise"):
            raise ValueError(event["raise"])
        return Streamed(pieces(*parts), **more) if event.get("stream") else event

    return lambda: handler


async def deployed(make_endpoint: MakeEndpoint, handler: Callable[[], Handler]) -> Endpoint:
    endpoint = await make_endpoint(handler)
    await endpoint.rig.deploy()
    return endpoint


async def read(endpoint: Endpoint, **parameters: Any) -> tuple[bytes, dict[str, Any]]:
    """The payload, and how it was completed."""

    def use(aws: Any) -> tuple[bytes, dict[str, Any]]:
        answer = aws.invoke_with_response_stream(FunctionName="hello", **parameters)
        assert answer["StatusCode"] == 200
        assert answer["ExecutedVersion"] == "$LATEST"
        payload, completed = b"", []
        for event in answer["EventStream"]:
            if "PayloadChunk" in event:
                payload += event["PayloadChunk"]["Payload"]
            else:
                completed.append(event["InvokeComplete"])
        (complete,) = completed
        return payload, complete

    return await using(endpoint, use)


async def test_pieces_and_how_it_was_completed(make_endpoint: MakeEndpoint) -> None:
    endpoint = await deployed(make_endpoint, answering(b"one ", b"two"))
    assert await read(endpoint, Payload=b'{"stream":true}') == (b"one two", {})


async def test_a_response_that_the_runtime_did_not_stream(make_endpoint: MakeEndpoint) -> None:
    endpoint = await deployed(make_endpoint, answering())
    large = json.dumps({"x": "y" * 600_000}).encode()
    assert await read(endpoint, Payload=large) == (large, {})


async def test_errors_before_and_amid_the_response(make_endpoint: MakeEndpoint) -> None:
    document = b'{"errorType":"Boom","errorMessage":"x"}'
    streaming = answering(b"half", error_type="Function.Boom", error_body=document)
    endpoint = await deployed(make_endpoint, streaming)

    payload, completed = await read(endpoint, Payload=b'{"stream":true}')
    assert (payload, completed["ErrorCode"]) == (b"half", "Unhandled")
    assert completed["ErrorDetails"] == document.decode()

    payload, completed = await read(endpoint, Payload=b'{"raise":"no"}')
    assert (payload, completed["ErrorCode"]) == (b"", "Unhandled")
    assert json.loads(completed["ErrorDetails"])["errorType"] == "ValueError"


async def test_the_log_s_tail(make_endpoint: MakeEndpoint) -> None:
    made: list[Endpoint] = []

    async def printing(event: Any) -> Any:
        (sandbox,) = made[0].rig.engine.sandboxes.values()
        sandbox.print("said\n")
        return event

    made.append(await deployed(make_endpoint, lambda: printing))
    _, completed = await read(made[0])
    assert "LogResult" not in completed
    _, completed = await read(made[0], LogType="Tail")
    assert b"said\n" in base64.b64decode(completed["LogResult"])


async def test_a_dry_run(make_endpoint: MakeEndpoint) -> None:
    endpoint = await deployed(make_endpoint, answering())
    answer = await endpoint.send("POST", PATH, X_Amz_Invocation_Type="DryRun")
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"FunctionName": "nobody"}, 404, "ResourceNotFoundException"),
        ({"FunctionName": "hello", "InvocationType": "Event"}, 400, "ValidationException"),
        ({"FunctionName": "hello", "Payload": b"{"}, 400, "InvalidRequestContentException"),
    ],
)
async def test_what_is_refused(
    make_endpoint: MakeEndpoint, parameters: dict[str, Any], status: int, code: str
) -> None:
    endpoint = await deployed(make_endpoint, answering())
    told = await refused(endpoint, "invoke_with_response_stream", **parameters)
    assert told[:2] == (status, code)


async def test_throttled_before_anything_was_sent(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint(answering())
    await endpoint.rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))
    answer = await endpoint.send("POST", PATH, b"{}")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (429, "TooManyRequestsException")


async def test_a_caller_that_goes_lets_the_runtime_finish(make_endpoint: MakeEndpoint) -> None:
    finished = asyncio.Event()

    async def many() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield bytes(64 * 1024)
        finished.set()

    async def handler(event: Any) -> Any:
        return Streamed(many())

    endpoint = await deployed(make_endpoint, lambda: handler)
    peer = await endpoint.peer()
    await peer.send(f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.server.port}\r\n".encode())
    await peer.send(b"Content-Length: 2\r\n\r\n{}")
    await peer.head()
    assert not finished.is_set()
    await peer.close()
    await asyncio.wait_for(finished.wait(), 20)


async def test_a_caller_that_lags_makes_the_runtime_wait(make_endpoint: MakeEndpoint) -> None:
    made = 0
    total = 600

    async def many() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(total):
            made += 1
            yield bytes(64 * 1024)

    async def handler(event: Any) -> Any:
        return Streamed(many())

    endpoint = await deployed(make_endpoint, lambda: handler)
    peer = await endpoint.peer()
    await peer.send(f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.server.port}\r\n".encode())
    await peer.send(b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    await peer.head()
    before = -1
    while before != made:  # until nothing moves any more
        before = made
        for _ in range(50):
            await asyncio.sleep(0)
    assert made < total
    async with asyncio.timeout(20):
        rest = await peer.reader.read()
    assert made == total
    assert len(rest) > total * 64 * 1024
    await peer.close()


def test_a_frame_is_what_botocore_reads() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame("PayloadChunk", "application/octet-stream", b"abc"))
    (event,) = buffer
    assert event.payload == b"abc"
    assert event.headers == {
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
