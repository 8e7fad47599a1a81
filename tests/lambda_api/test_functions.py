"""Functions made, read, listed and deleted through boto3."""

import base64
import hashlib
import urllib.request
from typing import Any

import pytest

from tests.lambda_api.client import ROLE, archive, new_function, refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint

ARN = "arn:aws:lambda:us-east-1:000000000000:function:made"


async def test_a_function_from_creation_to_deletion(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()
    zipped = archive(bootstrap="#!/bin/sh\n", data_txt="x")

    def use(aws: Any) -> None:
        made = aws.create_function(
            **new_function(
                Code={"ZipFile": zipped},
                Description="what it does",
                Timeout=7,
                MemorySize=256,
                Environment={"Variables": {"AB": "1"}},
                Tags={"team": "blue"},
            )
        )
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
        assert made["FunctionArn"] == ARN
        sha256 = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
        assert (made["CodeSha256"], made["CodeSize"]) == (sha256, len(zipped))
        aws.get_waiter("function_active_v2").wait(FunctionName="made")
        got = aws.get_function(FunctionName=ARN)
        configuration = got["Configuration"]
        assert configuration["LastUpdateStatus"] == "Successful"
        assert configuration["RevisionId"] != made["RevisionId"]
        assert configuration["Environment"] == {"Variables": {"AB": "1"}}
        assert (configuration["Timeout"], configuration["MemorySize"]) == (7, 256)
        assert got["Tags"] == {"team": "blue"}
        with urllib.request.urlopen(got["Code"]["Location"]) as answer:
            assert answer.read() == zipped
        alone = aws.get_function_configuration(FunctionName="made")
        assert alone["CodeSha256"] == sha256
        answer = aws.invoke(FunctionName="made", Payload=b'{"a": 1}')
        assert (answer["Payload"].read(), answer["ExecutedVersion"]) == (b'{"a": 1}', "$LATEST")
        assert [one["FunctionName"] for one in aws.list_functions()["Functions"]] == ["made"]
        assert "State" not in aws.list_functions()["Functions"][0]
        deleted = aws.delete_function(FunctionName="made")
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert aws.list_functions()["Functions"] == []

    await using(endpoint, use)
    missing = f"Function not found: {ARN}"
    for operation in ("get_function", "get_function_configuration", "delete_function", "invoke"):
        assert await refused(endpoint, operation, FunctionName="made") == (
            404,
            "ResourceNotFoundException",
            missing,
        )


async def test_the_manifests_functions_are_the_same_objects(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        got = aws.get_function_configuration(FunctionName="hello")
        assert (got["Runtime"], got["Handler"]) == ("provided.al2023", "bootstrap")
        assert (got["State"], got["PackageType"]) == ("Active", "Zip")

    await using(endpoint, use)


async def test_pages(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        for name in ("c", "a", "b"):
            aws.create_function(**new_function(name))
        pages = aws.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
        names = [[one["FunctionName"] for one in page["Functions"]] for page in pages]
        assert names == [["a", "b"], ["c"]]

    await using(endpoint, use)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Runtime": None}, "Runtime and Handler are mandatory parameters for functions created with"),
    ({"Runtime": "python3.6"}, "The runtime parameter of python3.6 is no longer supported"),
    ({"Code": {}}, "Please provide a source for function code."),
    ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file."),
    ({"Code": {"ZipFile": b""}}, "Uploaded file must be a non-empty zip"),
    ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "S3Bucket and S3Key are not supported"),
    (
        {"Code": {"ZipFile": b"x", "S3Bucket": "bucket"}},
        "Please do not provide other FunctionCode parameters when providing a ZipFile.",
    ),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        "Reserved keys used in this request: AWS_REGION",
    ),
    ({"Environment": {"Variables": {"AB": "x" * 4096}}}, "exceeded the 4KB limit. String measured"),
    ({"PackageType": "Image"}, "Please don't provide Handler or Runtime or Layer"),
    (
        {"PackageType": "Image", "Runtime": None, "Handler": None},
        "Please provide ImageUri when creating a function with packageType Image.",
    ),
    (
        {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
        "TenancyConfig of CreateFunction is not supported by this version of lambdash.",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
async def test_what_create_function_refuses(
    endpoint: Endpoint, change: dict[str, Any], message: str
) -> None:
    asked = new_function(**change)
    asked = {name: value for name, value in asked.items() if value is not None}
    status, code, told = await refused(endpoint, "create_function", **asked)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message in told


async def test_a_name_that_is_taken(endpoint: Endpoint) -> None:
    status, code, told = await refused(endpoint, "create_function", **new_function("hello"))
    assert (status, code) == (409, "ResourceConflictException")
    assert told == "Function already exist: hello"


async def test_what_the_model_refuses(endpoint: Endpoint) -> None:
    asked = new_function(Timeout=901, MemorySize=1, Role="me", Handler="a b")
    status, code, told = await refused(endpoint, "create_function", **asked)
    assert (status, code) == (400, "ValidationException")
    assert told == (
        "4 validation errors detected: "
        "Value 'me' at 'role' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+; "
        "Value 'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: [^\\s]+; "
        "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than "
        "or equal to 900; "
        "Value '1' at 'memorySize' failed to satisfy constraint: Member must have value greater "
        "than or equal to 128"
    )


async def test_another_region(endpoint: Endpoint) -> None:
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:hello"
    assert await refused(endpoint, "get_function", FunctionName=arn) == (
        404,
        "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )


async def test_another_account(endpoint: Endpoint) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:hello"
    status, code, _ = await refused(endpoint, "get_function", FunctionName=arn)
    assert (status, code) == (403, "AccessDeniedException")


async def test_qualifiers_that_differ(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "get_function", FunctionName="hello:1", Qualifier="2")
    assert told[2] == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


async def test_latest_alone_is_not_deleted(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "delete_function", FunctionName="hello", Qualifier="$LATEST")
    assert told[2] == "$LATEST version cannot be deleted without deleting the function."


@pytest.mark.parametrize("path", ["zz.zip", "0" * 64 + ".zip", "../../registry.sqlite"])
async def test_a_download_that_is_not_there(endpoint: Endpoint, path: str) -> None:
    answer = await endpoint.send("GET", f"/_lambdash/code/{path}")
    assert answer.status == 404


async def test_the_role_is_kept(endpoint: Endpoint) -> None:
    made = await using(endpoint, lambda aws: aws.create_function(**new_function()))
    assert made["Role"] == ROLE
