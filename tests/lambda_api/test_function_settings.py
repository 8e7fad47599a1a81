"""Recursion, runtime management and code signing through boto3."""

from typing import Any

import pytest

from tests.lambda_api.client import new_function, refused, using
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.qualified import ARN, with_alias
from tests.lambda_api.test_tags import PUBLISHERS

RUNTIME = "arn:aws:lambda:us-east-1::runtime:abc"


async def test_recursion(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        asked = {"FunctionName": "hello"}
        assert aws.get_function_recursion_config(**asked)["RecursiveLoop"] == "Terminate"
        aws.put_function_recursion_config(**asked, RecursiveLoop="Allow")
        assert aws.get_function_recursion_config(**asked)["RecursiveLoop"] == "Allow"

    await using(endpoint, use)
    told = await refused(endpoint, "get_function_recursion_config", FunctionName="none")
    assert told[0] == 404


async def test_runtime_management(endpoint: Endpoint) -> None:
    with_alias(endpoint)

    def use(aws: Any) -> None:
        got = aws.get_runtime_management_config(FunctionName="hello")
        assert (got["UpdateRuntimeOn"], got["FunctionArn"]) == ("Auto", ARN)
        put = aws.put_runtime_management_config(
            FunctionName="hello", Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=RUNTIME
        )
        assert (put["FunctionArn"], put["RuntimeVersionArn"]) == (f"{ARN}:1", RUNTIME)
        assert aws.get_runtime_management_config(FunctionName="hello")["UpdateRuntimeOn"] == "Auto"
        kept = aws.get_runtime_management_config(FunctionName="hello", Qualifier="1")
        assert kept["UpdateRuntimeOn"] == "Manual"

    await using(endpoint, use)


@pytest.mark.parametrize(
    "asked",
    [
        {"UpdateRuntimeOn": "Manual"},
        {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": RUNTIME},
        {"UpdateRuntimeOn": "Auto", "Qualifier": "9"},
        {"UpdateRuntimeOn": "Sometimes"},
    ],
)
async def test_runtime_management_refused(endpoint: Endpoint, asked: dict[str, str]) -> None:
    told = await refused(endpoint, "put_runtime_management_config", FunctionName="hello", **asked)
    assert told[0] in (400, 404)


async def test_code_signing(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        made = aws.create_code_signing_config(AllowedPublishers=PUBLISHERS)["CodeSigningConfig"]
        arn = made["CodeSigningConfigArn"]
        assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
        enforce = {"UntrustedArtifactOnDeployment": "Enforce"}
        aws.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies=enforce)
        got = aws.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
        assert (got["CodeSigningPolicies"], got["Description"]) == (enforce, "")
        aws.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName="hello")
        of_function = aws.get_function_code_signing_config(FunctionName=ARN)
        assert of_function["CodeSigningConfigArn"] == arn
        users = aws.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
        assert users["FunctionArns"] == [ARN]
        with pytest.raises(aws.exceptions.ResourceConflictException):
            aws.delete_code_signing_config(CodeSigningConfigArn=arn)
        aws.delete_function_code_signing_config(FunctionName="hello")
        assert "CodeSigningConfigArn" not in aws.get_function_code_signing_config(
            FunctionName="hello"
        )
        aws.delete_code_signing_config(CodeSigningConfigArn=arn)
        assert aws.list_code_signing_configs()["CodeSigningConfigs"] == []

    await using(endpoint, use)


async def test_code_signing_of_a_new_function(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        made = aws.create_code_signing_config(AllowedPublishers=PUBLISHERS)["CodeSigningConfig"]
        arn = made["CodeSigningConfigArn"]
        aws.create_function(**new_function(CodeSigningConfigArn=arn))
        kept = aws.get_function_code_signing_config(FunctionName="made")
        assert kept["CodeSigningConfigArn"] == arn

    await using(endpoint, use)
    arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-" + "0" * 17
    asked = new_function("other", CodeSigningConfigArn=arn)
    told = await refused(endpoint, "create_function", **asked)
    assert told[1] == "CodeSigningConfigNotFoundException"


async def test_code_signing_that_is_not_there(endpoint: Endpoint) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-" + "0" * 17
    missing = f"The Lambda code signing configuration {arn} can not be found."
    for operation in (
        "get_code_signing_config",
        "update_code_signing_config",
        "delete_code_signing_config",
        "list_functions_by_code_signing_config",
    ):
        told = await refused(endpoint, operation, CodeSigningConfigArn=arn)
        assert told == (404, "ResourceNotFoundException", missing)
    asked = {"CodeSigningConfigArn": arn, "FunctionName": "hello"}
    told = await refused(endpoint, "put_function_code_signing_config", **asked)
    assert told[:2] == (404, "CodeSigningConfigNotFoundException")
    for operation in ("get_function_code_signing_config", "delete_function_code_signing_config"):
        assert (await refused(endpoint, operation, FunctionName="none"))[0] == 404
