"""Configurations of function URLs through boto3."""

import re
from typing import Any

import pytest

from tests.lambda_api.client import refused, using
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.qualified import ARN, with_alias


async def test_a_url_from_creation_to_deletion(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        made = aws.create_function_url_config(FunctionName="hello", AuthType="NONE")
        assert made["FunctionArn"] == ARN
        assert "InvokeMode" not in made
        port = endpoint.server.port
        host = rf"http://[0-9a-f]{{32}}\.lambda-url\.us-east-1\.localhost:{port}/"
        assert re.fullmatch(host, made["FunctionUrl"])
        cors = {"AllowOrigins": ["https://example.org"], "MaxAge": 60}
        changed = aws.update_function_url_config(
            FunctionName="hello", AuthType="AWS_IAM", Cors=cors, InvokeMode="RESPONSE_STREAM"
        )
        assert (changed["Cors"], changed["AuthType"]) == (cors, "AWS_IAM")
        got = aws.get_function_url_config(FunctionName="hello")
        assert got["FunctionUrl"] == made["FunctionUrl"]
        assert got["CreationTime"] == made["CreationTime"] <= got["LastModifiedTime"]
        assert got["InvokeMode"] == "RESPONSE_STREAM"
        aws.delete_function_url_config(FunctionName="hello")
        assert aws.list_function_url_configs(FunctionName="hello")["FunctionUrlConfigs"] == []

    await using(endpoint, use)


async def test_aliases_have_their_own(endpoint: Endpoint) -> None:
    with_alias(endpoint)

    def use(aws: Any) -> None:
        first = aws.create_function_url_config(FunctionName="hello", AuthType="NONE")
        second = aws.create_function_url_config(FunctionName=f"{ARN}:live", AuthType="NONE")
        assert second["FunctionArn"] == f"{ARN}:live"
        assert first["FunctionUrl"] != second["FunctionUrl"]
        pages = aws.get_paginator("list_function_url_configs").paginate(
            FunctionName="hello", PaginationConfig={"PageSize": 1}
        )
        arns = [[one["FunctionArn"] for one in page["FunctionUrlConfigs"]] for page in pages]
        assert arns == [[ARN], [f"{ARN}:live"]]

    await using(endpoint, use)


@pytest.mark.parametrize(
    ("operation", "change", "status", "message"),
    [
        ("create", {"FunctionName": "none"}, 404, "Function does not exist"),
        ("create", {"Qualifier": "nix"}, 404, "Function does not exist"),
        (
            "create",
            {"Qualifier": "1"},
            400,
            "1 validation error detected: Value '1' at 'qualifier'",
        ),
        ("update", {"FunctionName": "none"}, 404, "Function does not exist"),
        ("update", {}, 404, "The resource you requested does not exist."),
        ("get", {"FunctionName": "none"}, 404, "The resource you requested does not exist."),
        ("get", {"Qualifier": "nix"}, 404, "The resource you requested does not exist."),
        ("delete", {}, 404, "The resource you requested does not exist."),
    ],
)
async def test_what_is_refused(
    endpoint: Endpoint, operation: str, change: dict[str, Any], status: int, message: str
) -> None:
    more = {"AuthType": "NONE"} if operation in ("create", "update") else {}
    asked = {"FunctionName": "hello", **more, **change}
    told = await refused(endpoint, f"{operation}_function_url_config", **asked)
    assert told[0] == status
    assert told[2].startswith(message)


async def test_versions_have_none(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "get_function_url_config", FunctionName="hello:$LATEST")
    assert told[1] == "ValidationException"


async def test_one_for_each(endpoint: Endpoint) -> None:
    asked = {"FunctionName": "hello", "AuthType": "NONE"}
    await using(endpoint, lambda aws: aws.create_function_url_config(**asked))
    told = await refused(endpoint, "create_function_url_config", **asked)
    assert told == (
        409,
        "ResourceConflictException",
        f"Failed to create function url config for [functionArn = {ARN}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function",
    )


async def test_a_list_needs_its_function(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "list_function_url_configs", FunctionName="none")
    assert told[2] == "Function does not exist"
