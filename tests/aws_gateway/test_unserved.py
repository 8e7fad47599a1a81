"""Clients of services that are not here read which one it is that is missing."""

import asyncio
import http.client
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdash.aws_gateway import unserved
from lambdash.http.server import HttpBounds, Request, Responder, serve_tcp

_SIGNED = "AWS4-HMAC-SHA256 Credential"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _handle(request: Request, responder: Responder) -> None:
    if unserved.matches(request):
        unserved.handle(request, responder)
    else:
        responder.send(404, [], b"nobody's")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = await serve_tcp(_handle, "127.0.0.1", 0, HttpBounds(body_bytes=1_000_000))
    yield server.port
    await server.close()


def _client(service: str, port: int, **settings: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, **settings),
    )


CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "s3": ("s3", lambda client: client.put_object(Bucket="b", Key="k", Body=io.BytesIO(b"x"))),
    "dynamodb": ("dynamodb", lambda client: client.list_tables()),
    "sns": ("sns", lambda client: client.publish(TopicArn="arn:aws:sns:x", Message="x")),
    "ssm": ("ssm", lambda client: client.get_parameter(Name="x")),
    "ec2": ("ec2", lambda client: client.describe_vpcs()),
    "events": ("events", lambda client: client.put_events(Entries=[{"Source": "x"}])),
    "scheduler": ("scheduler", lambda client: client.list_schedules()),
    "cloudwatch": ("monitoring", lambda client: client.list_metrics()),
    "cloudfront": ("cloudfront", lambda client: client.list_distributions()),
}


@pytest.mark.parametrize("service", CALLS)
async def test_clients_read_the_name_of_the_service(port: int, service: str) -> None:
    scope, call = CALLS[service]
    client = _client(service, port)
    with pytest.raises(ClientError) as refused:
        await asyncio.to_thread(call, client)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "NotImplementedException"
    assert answer["Error"]["Message"].startswith(f"lambdash does not serve {scope} yet. ")


async def test_cloudformation_is_told_what_to_do_instead(port: int) -> None:
    client = _client("cloudformation", port)
    with pytest.raises(ClientError) as refused:
        await asyncio.to_thread(client.list_stacks)
    message = refused.value.response["Error"]["Message"]
    assert message.startswith("lambdash does not serve cloudformation yet. ")
    assert "Templates cannot be imported yet" in message


async def test_a_client_that_reads_no_body(port: int) -> None:
    with pytest.raises(ClientError) as refused:
        await asyncio.to_thread(lambda: _client("s3", port).head_object(Bucket="b", Key="k"))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


async def test_a_presigned_url(port: int) -> None:
    client = _client("s3", port, signature_version="s3v4")
    url = client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    status, _, body = await _send(port, "GET", url.partition(f":{port}")[2])
    assert (status, b"does not serve s3 yet" in body) == (501, True)


async def test_a_target_without_a_signature(port: int) -> None:
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "Content-Type": "application/x-amz-json-1.0",
    }
    status, answered, body = await _send(port, "POST", "/", b"{}", headers)
    document = json.loads(body)
    assert (status, answered["x-amzn-errortype"]) == (501, "NotImplementedException")
    assert answered["content-type"] == "application/x-amz-json-1.0"
    assert document["__type"] == "NotImplementedException"
    assert document["message"].startswith("lambdash does not serve DynamoDB yet. ")


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [("/", b"Version=1&Action=Publish", _FORM), ("/?Action=Publish", b"", {})],
)
async def test_an_action_without_a_signature(
    port: int, path: str, body: bytes, headers: dict[str, str]
) -> None:
    status, _, answer = await _send(port, "POST", path, body, headers)
    assert status == 501
    assert b"<ErrorResponse>" in answer
    assert b"does not serve the service of the action Publish yet" in answer


async def test_a_client_of_cbor(port: int) -> None:
    headers = {
        "Smithy-Protocol": "rpc-v2-cbor",
        "Authorization": f"{_SIGNED}=a/1/us-east-1/monitoring/aws4_request, X",
    }
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    status, answered, body = await _send(port, "POST", path, b"\xa0", headers)
    assert (status, answered["smithy-protocol"]) == (501, "rpc-v2-cbor")
    message = body.partition(b"\x79\x00\x07message\x79")[2]
    assert body.startswith(b"\xa2\x79\x00\x06__type\x79\x00\x17NotImplementedException")
    assert int.from_bytes(message[:2], "big") == len(message[2:])
    assert message[2:].startswith(b"lambdash does not serve monitoring yet")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/2015-03-31/functions", b"", {}),
        ("GET", "/favicon.ico", b"", {}),
        ("POST", "/", b"Action=" + b"%20", _FORM),
        ("POST", "/", b"a=b", _FORM),
        ("POST", "/elsewhere", b"Action=Publish", _FORM),
        ("GET", "/x", b"", {"Authorization": f"{_SIGNED}=a/1/r/lambda/aws4_request"}),
        ("GET", "/x", b"", {"Authorization": "Bearer token"}),
    ],
)
async def test_what_names_no_other_service_is_left_alone(
    port: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    assert (await _send(port, method, path, body, headers))[0] == 404


async def _send(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    def send() -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as answer:
                named = {name.lower(): value for name, value in answer.getheaders()}
                return answer.status, named, answer.read()
        finally:
            connection.close()

    return await asyncio.to_thread(send)
