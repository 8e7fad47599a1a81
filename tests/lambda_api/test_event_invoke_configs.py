"""Configurations of asynchronous invocation through boto3."""

from datetime import datetime
from typing import Any

import pytest

from tests.lambda_api.client import refused, using
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.qualified import ARN, with_alias

NOWHERE: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}
QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"


async def test_put_replaces_and_update_adds(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        put = aws.put_function_event_invoke_config(
            FunctionName="hello", MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60
        )
        assert put["FunctionArn"] == f"{ARN}:$LATEST"
        assert put["DestinationConfig"] == NOWHERE
        assert isinstance(put["LastModified"], datetime)
        destinations = {"OnFailure": {"Destination": QUEUE}}
        updated = aws.update_function_event_invoke_config(
            FunctionName="hello", DestinationConfig=destinations
        )
        assert updated["DestinationConfig"] == {"OnSuccess": {}, **destinations}
        got = aws.get_function_event_invoke_config(FunctionName="hello")
        assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (1, 60)
        replaced = aws.put_function_event_invoke_config(
            FunctionName="hello", MaximumRetryAttempts=0
        )
        assert "MaximumEventAgeInSeconds" not in replaced
        assert replaced["DestinationConfig"] == NOWHERE

    await using(endpoint, use)


async def test_qualifiers_have_their_own(endpoint: Endpoint) -> None:
    with_alias(endpoint)

    def use(aws: Any) -> None:
        for qualifier in ("live", "1", "$LATEST"):
            aws.put_function_event_invoke_config(
                FunctionName="hello", Qualifier=qualifier, MaximumRetryAttempts=1
            )
        pages = aws.get_paginator("list_function_event_invoke_configs").paginate(
            FunctionName="hello", PaginationConfig={"PageSize": 2}
        )
        arns = [
            [one["FunctionArn"] for one in page["FunctionEventInvokeConfigs"]] for page in pages
        ]
        assert arns == [[f"{ARN}:$LATEST", f"{ARN}:1"], [f"{ARN}:live"]]
        aws.delete_function_event_invoke_config(FunctionName="hello", Qualifier="1")
        left = aws.list_function_event_invoke_configs(FunctionName=ARN)
        assert len(left["FunctionEventInvokeConfigs"]) == 2

    await using(endpoint, use)


WITHOUT = f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig"


@pytest.mark.parametrize(
    ("operation", "change", "status", "message"),
    [
        (
            "put",
            {"FunctionName": "none", "MaximumRetryAttempts": 1},
            404,
            "The function doesn't exist.",
        ),
        (
            "put",
            {"Qualifier": "nix", "MaximumRetryAttempts": 1},
            404,
            "The function doesn't exist.",
        ),
        ("put", {}, 400, "You must specify at least one of error handling or destination setting."),
        ("update", {"MaximumRetryAttempts": 1}, 404, WITHOUT),
        ("get", {}, 404, WITHOUT),
        ("delete", {}, 404, WITHOUT),
        (
            "put",
            {"DestinationConfig": {"OnSuccess": {"Destination": ARN}}},
            400,
            "You can't specify the function as a destination for itself.",
        ),
        (
            "put",
            {"DestinationConfig": {"OnFailure": {"Destination": f"{ARN}x"}}},
            400,
            f"The destination ARN {ARN}x is invalid.",
        ),
        (
            "put",
            {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:iam:::x"}}},
            400,
            "The provided destination config DestinationConfig(onSuccess=OnSuccess("
            "destination=arn:aws:iam:::x), onFailure=null) is invalid.",
        ),
    ],
)
async def test_what_is_refused(
    endpoint: Endpoint, operation: str, change: dict[str, Any], status: int, message: str
) -> None:
    asked = {"FunctionName": "hello", **change}
    told = await refused(endpoint, f"{operation}_function_event_invoke_config", **asked)
    assert (told[0], told[2]) == (status, message)


async def test_a_list_needs_its_function(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "list_function_event_invoke_configs", FunctionName="none")
    assert told[2] == "The function doesn't exist."
