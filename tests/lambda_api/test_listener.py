"""What the listener refuses: operations that are not there, routes that are none, web pages."""

import asyncio
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdash.errors import PlatformError
from lambdash.lambda_api.listener import LambdaApi
from lambdash.model import Scaling
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.test_invoke import check_error


@pytest.mark.parametrize(
    ("route", "name", "why"),
    [
        (
            ("GET", "/2025-11-30/capacity-providers"),
            "ListCapacityProviders",
            "managed instances and their capacity providers are not supported yet",
        ),
        (
            ("GET", "/2025-12-01/functions/hello/durable-executions"),
            "ListDurableExecutionsByFunction",
            "durable functions are not supported yet",
        ),
    ],
)
async def test_an_operation_is_refused_by_name(
    endpoint: Endpoint, route: tuple[str, str], name: str, why: str
) -> None:
    document = check_error(await endpoint.send(*route), 501, "NotImplementedException")
    expected = f"The operation {name} is not supported by this version of lambdash: {why}."
    assert document == {"Type": "User", "message": expected}


@pytest.mark.parametrize(
    "route", [("GET", "/"), ("GET", "/2015-03-31/functions/hello/invocations"), ("POST", "/x")]
)
async def test_no_route(endpoint: Endpoint, route: tuple[str, str]) -> None:
    document = check_error(await endpoint.send(*route), 404, "UnknownOperationException")
    assert document["message"] == f"No Lambda operation is {route[0]} {route[1]}."


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=lambda headers: "-".join(map(str, *headers.items())),
)
async def test_a_web_page_is_refused(endpoint: Endpoint, headers: dict[str, str]) -> None:
    sent = {name: text.format(port=endpoint.server.port) for name, text in headers.items()}
    check_error(await endpoint.invoke(**sent), 403, "AccessDeniedException")
    assert endpoint.rig.engine.launches == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "host.docker.internal"])
async def test_a_tool_is_served(endpoint: Endpoint, host: str) -> None:
    answer = await endpoint.invoke(Host=f"{host}:{endpoint.server.port}", Sec_Fetch_Site="none")
    assert answer.status == 200


async def test_a_connection_from_inside_an_environment(endpoint: Endpoint) -> None:
    """Served as at the port, by its name inside; it ends with the API"""
    api = LambdaApi(endpoint.rig.emulator, lambda: None)
    server = await api.listen(0)
    inside = await asyncio.get_running_loop().create_server(api.connection, "127.0.0.1", 0)
    head = b"POST /2015-03-31/functions/hello/invocations HTTP/1.1\r\nContent-Length: 2\r\n"
    peers = []
    for host, status in ((b"127.0.0.1:9002", b"200"), (b"evil.example:9002", b"403")):
        reader, writer = await asyncio.open_connection(*inside.sockets[0].getsockname())
        writer.write(head + b"Host: " + host + b"\r\n\r\n{}")
        assert (await reader.readline()).split()[1] == status
        peers.append((reader, writer))
    assert len(server.connections) == 0
    await api.close()
    for reader, writer in peers:
        await reader.read()
        writer.close()
    inside.close()
    await server.close()


async def test_a_taken_port(endpoint: Endpoint) -> None:
    with pytest.raises(PlatformError) as raised:
        await LambdaApi(endpoint.rig.emulator, lambda: None).listen(endpoint.server.port)
    assert raised.value.code == "port-in-use"


def client(endpoint: Endpoint) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


async def test_boto3(endpoint: Endpoint) -> None:
    def use() -> None:
        aws = client(endpoint)
        answer = aws.invoke(FunctionName="hello", Payload=b'{"a": 1}', LogType="Tail")
        assert answer["Payload"].read() == b'{"a": 1}'
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert "FunctionError" not in answer
        assert aws.invoke(FunctionName="hello", InvocationType="DryRun")["StatusCode"] == 204
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as missing:
            aws.invoke(FunctionName="nobody")
        assert "Function not found: arn:aws:lambda" in str(missing.value)
        with pytest.raises(ClientError) as unsupported:
            aws.list_capacity_providers()
        assert unsupported.value.response["Error"]["Code"] == "NotImplementedException"
        assert "ListCapacityProviders is not" in unsupported.value.response["Error"]["Message"]

    await asyncio.to_thread(use)


async def test_boto3_throttled(endpoint: Endpoint) -> None:
    await endpoint.rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))

    def use() -> None:
        aws = client(endpoint)
        with pytest.raises(aws.exceptions.TooManyRequestsException) as throttled:
            aws.invoke(FunctionName="hello")
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert throttled.value.response["Reason"] == reason

    await asyncio.to_thread(use)
