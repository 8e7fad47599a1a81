"""Reserved and provisioned concurrency, and the account's settings, through boto3."""

from typing import Any

import pytest

from tests.lambda_api.client import new_function, refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint


@pytest.fixture
async def published(make_endpoint: MakeEndpoint) -> Endpoint:
    """An endpoint with a function of the API, ``made``, and its version 1."""
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        aws.create_function(**new_function())
        aws.get_waiter("function_active_v2").wait(FunctionName="made")
        aws.publish_version(FunctionName="made")

    await using(endpoint, use)
    return endpoint


async def test_reserved(published: Endpoint) -> None:
    def use(aws: Any) -> None:
        before = aws.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
        told = aws.put_function_concurrency(FunctionName="made", ReservedConcurrentExecutions=100)
        assert told["ReservedConcurrentExecutions"] == 100
        got = aws.get_function_concurrency(FunctionName="made")
        assert got["ReservedConcurrentExecutions"] == 100
        assert aws.get_function(FunctionName="made")["Concurrency"] == {
            "ReservedConcurrentExecutions": 100
        }
        limit = aws.get_account_settings()["AccountLimit"]
        assert limit["UnreservedConcurrentExecutions"] == before - 100
        aws.put_function_concurrency(FunctionName="made", ReservedConcurrentExecutions=0)
        with pytest.raises(aws.exceptions.TooManyRequestsException):
            aws.invoke(FunctionName="made")
        with pytest.raises(aws.exceptions.TooManyRequestsException):
            aws.invoke(FunctionName="made:1")
        aws.delete_function_concurrency(FunctionName="made")
        assert aws.invoke(FunctionName="made")["StatusCode"] == 200
        assert "ReservedConcurrentExecutions" not in aws.get_function_concurrency(
            FunctionName="made"
        )

    await using(published, use)
    told = await refused(
        published,
        "put_function_concurrency",
        FunctionName="made",
        ReservedConcurrentExecutions=901,
    )
    assert told == (
        400,
        "InvalidParameterValueException",
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    )


async def test_provisioned(published: Endpoint) -> None:
    def use(aws: Any) -> None:
        asked = {"FunctionName": "made", "Qualifier": "1"}
        begun = aws.put_provisioned_concurrency_config(**asked, ProvisionedConcurrentExecutions=2)
        assert begun["Status"] == "IN_PROGRESS"
        got = aws.get_provisioned_concurrency_config(**asked)
        while got["Status"] == "IN_PROGRESS":
            got = aws.get_provisioned_concurrency_config(**asked)
        assert (got["Status"], got["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
        listed = aws.list_provisioned_concurrency_configs(FunctionName="made")
        [config] = listed["ProvisionedConcurrencyConfigs"]
        assert config["FunctionArn"].endswith(":function:made:1")
        aws.create_alias(FunctionName="made", Name="live", FunctionVersion="1")
        with pytest.raises(aws.exceptions.ResourceConflictException):
            aws.put_provisioned_concurrency_config(
                FunctionName="made", Qualifier="live", ProvisionedConcurrentExecutions=1
            )
        aws.delete_provisioned_concurrency_config(**asked)
        with pytest.raises(aws.exceptions.ProvisionedConcurrencyConfigNotFoundException):
            aws.get_provisioned_concurrency_config(**asked)

    await using(published, use)


async def test_an_alias_takes_what_is_provisioned_along(published: Endpoint) -> None:
    def use(aws: Any) -> None:
        aws.update_function_configuration(FunctionName="made", Timeout=9)
        aws.get_waiter("function_updated_v2").wait(FunctionName="made")
        aws.publish_version(FunctionName="made")
        aws.create_alias(FunctionName="made", Name="live", FunctionVersion="1")
        aws.put_provisioned_concurrency_config(
            FunctionName="made", Qualifier="live", ProvisionedConcurrentExecutions=1
        )
        aws.update_alias(FunctionName="made", Name="live", FunctionVersion="2")

    await using(published, use)
    versions = published.rig.emulator.registry.functions["made"].versions
    found = {
        version: record.deployed.function.scaling.provisioned_concurrent_executions
        for version, record in versions.items()
        if record.deployed is not None
    }
    assert found == {"$LATEST": 0, "1": 0, "2": 1}


async def test_reserved_below_provisioned(published: Endpoint) -> None:
    asked = {"FunctionName": "made", "Qualifier": "1", "ProvisionedConcurrentExecutions": 2}
    await using(published, lambda aws: aws.put_provisioned_concurrency_config(**asked))
    told = await refused(
        published, "put_function_concurrency", FunctionName="made", ReservedConcurrentExecutions=1
    )
    assert told[2] == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned "
        "concurrency [2]."
    )


async def test_provisioned_above_reserved(published: Endpoint) -> None:
    await using(
        published,
        lambda aws: aws.put_function_concurrency(
            FunctionName="made", ReservedConcurrentExecutions=1
        ),
    )
    asked = {"FunctionName": "made", "Qualifier": "1", "ProvisionedConcurrentExecutions": 2}
    told = await refused(published, "put_provisioned_concurrency_config", **asked)
    assert "should not be greater than the reservedConcurrentExecution" in told[2]


async def test_the_account(published: Endpoint) -> None:
    settings = await using(published, lambda aws: aws.get_account_settings())
    size = published.rig.emulator.registry.functions["made"].latest.document["CodeSize"]
    assert settings["AccountUsage"] == {"TotalCodeSize": 2 * size, "FunctionCount": 1}
    assert settings["AccountLimit"]["CodeSizeUnzipped"] == 262_144_000
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1_000
