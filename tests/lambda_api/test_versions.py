"""Updates, versions and aliases through boto3; what a qualifier runs."""

import base64
import hashlib
import random
import urllib.request
from dataclasses import replace
from typing import Any

import pytest

from lambdash.emulator.registry.targets import chosen_version
from lambdash.model.function import LoggingConfig
from tests.lambda_api.client import archive, new_function, refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint

ARN = "arn:aws:lambda:us-east-1:000000000000:function:made"


@pytest.fixture
async def made(make_endpoint: MakeEndpoint) -> Endpoint:
    """An endpoint with one active function of the API, ``made``."""
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        aws.create_function(**new_function())
        aws.get_waiter("function_active_v2").wait(FunctionName="made")

    await using(endpoint, use)
    return endpoint


async def test_updates(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        before = aws.get_function_configuration(FunctionName="made")
        changed = aws.update_function_configuration(
            FunctionName="made", Timeout=9, Environment={"Variables": {"AB": "2"}}
        )
        assert changed["LastUpdateStatus"] == "InProgress"
        assert changed["RevisionId"] != before["RevisionId"]
        aws.get_waiter("function_updated_v2").wait(FunctionName="made")
        code = aws.update_function_code(
            FunctionName="made", ZipFile=archive(bootstrap="#!/bin/sh\nexit\n")
        )
        assert code["CodeSha256"] != before["CodeSha256"]
        aws.get_waiter("function_updated_v2").wait(FunctionName="made")
        after = aws.get_function_configuration(FunctionName="made")
        assert (after["Timeout"], after["CodeSha256"]) == (9, code["CodeSha256"])
        assert after["Environment"] == {"Variables": {"AB": "2"}}
        assert after["MemorySize"] == before["MemorySize"]

    await using(made, use)


async def test_a_dry_run_changes_nothing(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        before = aws.get_function_configuration(FunctionName="made")
        told = aws.update_function_code(
            FunctionName="made", ZipFile=archive(bootstrap="new"), DryRun=True
        )
        assert told["CodeSha256"] != before["CodeSha256"]
        after = aws.get_function_configuration(FunctionName="made")
        del before["ResponseMetadata"], after["ResponseMetadata"]
        assert before == after

    await using(made, use)


async def test_the_revision_id_must_be_the_newest(made: Endpoint) -> None:
    told = await refused(
        made, "update_function_configuration", FunctionName="made", Timeout=5, RevisionId="old"
    )
    assert told[:2] == (412, "PreconditionFailedException")


async def test_versions_are_frozen_and_run(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        first = aws.publish_version(FunctionName="made", Description="one")
        assert (first["Version"], first["FunctionArn"]) == ("1", f"{ARN}:1")
        assert aws.publish_version(FunctionName="made")["Version"] == "1", "nothing changed"
        aws.update_function_configuration(FunctionName="made", Timeout=60)
        aws.get_waiter("function_updated_v2").wait(FunctionName="made")
        assert aws.publish_version(FunctionName="made")["Version"] == "2"
        assert aws.get_function_configuration(FunctionName="made:1")["Timeout"] == 3
        listed = aws.list_versions_by_function(FunctionName="made")["Versions"]
        assert [one["Version"] for one in listed] == ["$LATEST", "1", "2"]
        for qualifier, executed in ((None, "$LATEST"), ("1", "1"), ("$LATEST", "$LATEST")):
            asked = {} if qualifier is None else {"Qualifier": qualifier}
            assert aws.invoke(FunctionName="made", **asked)["ExecutedVersion"] == executed
        assert aws.invoke(FunctionName=f"{ARN}:2")["ExecutedVersion"] == "2"
        aws.delete_function(FunctionName="made", Qualifier="1")
        listed = aws.list_versions_by_function(FunctionName="made")["Versions"]
        assert [one["Version"] for one in listed] == ["$LATEST", "2"]

    await using(made, use)
    told = await refused(made, "invoke", FunctionName="made", Qualifier="1")
    assert told == (404, "ResourceNotFoundException", f"Function not found: {ARN}:1")


async def test_numbers_are_never_used_again(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        aws.publish_version(FunctionName="made")
        aws.delete_function(FunctionName="made")
        again = aws.create_function(**new_function(Publish=True))
        assert again["Version"] == "2"

    await using(made, use)


async def test_aliases(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        aws.publish_version(FunctionName="made")
        alias = aws.create_alias(FunctionName="made", Name="live", FunctionVersion="1")
        assert alias["AliasArn"] == f"{ARN}:live"
        assert aws.invoke(FunctionName="made:live")["ExecutedVersion"] == "1"
        got = aws.get_function(FunctionName="made", Qualifier="live")["Configuration"]
        assert (got["FunctionArn"], got["Version"]) == (f"{ARN}:live", "1")
        changed = aws.update_alias(
            FunctionName="made", Name="live", Description="d", RevisionId=alias["RevisionId"]
        )
        assert changed["RevisionId"] != alias["RevisionId"]
        assert aws.get_alias(FunctionName="made", Name="live")["Description"] == "d"
        aws.create_alias(FunctionName="made", Name="dev", FunctionVersion="$LATEST")
        names = [one["Name"] for one in aws.list_aliases(FunctionName="made")["Aliases"]]
        assert names == ["dev", "live"]
        of_one = aws.list_aliases(FunctionName="made", FunctionVersion="1")["Aliases"]
        assert [one["Name"] for one in of_one] == ["live"]
        aws.delete_alias(FunctionName="made", Name="dev")
        aws.delete_alias(FunctionName="made", Name="dev")

    await using(made, use)
    status, code, told = await refused(made, "delete_function", FunctionName="made", Qualifier="1")
    assert (status, code) == (409, "ResourceConflictException")
    assert f"[{ARN}:live]" in told


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "message"),
    [
        ("get_alias", {"Name": "no"}, "ResourceNotFoundException", f"alias arn: {ARN}:no"),
        (
            "create_alias",
            {"Name": "a", "FunctionVersion": "7"},
            "ResourceNotFoundException",
            f"Function not found: {ARN}:7",
        ),
        (
            "create_alias",
            {
                "Name": "a",
                "FunctionVersion": "$LATEST",
                "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
            },
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ),
        (
            "create_alias",
            {
                "Name": "a",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
            },
            "InvalidParameterValueException",
            "Function version 1 is already included in routing configuration.",
        ),
        (
            "create_alias",
            {
                "Name": "a",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5, "2": 0.1}},
            },
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
    ],
)
async def test_what_aliases_refuse(
    made: Endpoint, operation: str, parameters: dict[str, Any], code: str, message: str
) -> None:
    await using(made, lambda aws: aws.publish_version(FunctionName="made"))
    told = await refused(made, operation, FunctionName="made", **parameters)
    assert told[1] == code
    assert message in told[2]


async def test_an_alias_that_is_there(made: Endpoint) -> None:
    asked = {"FunctionName": "made", "Name": "live", "FunctionVersion": "$LATEST"}
    await using(made, lambda aws: aws.create_alias(**asked))
    told = await refused(made, "create_alias", **asked)
    assert told == (409, "ResourceConflictException", f"Alias already exists: {ARN}:live")


def test_weights_are_a_seeded_choice() -> None:
    alias = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}}}
    choice = random.Random(7)
    drawn = [chosen_version(alias, choice) for _ in range(4_000)]
    assert 900 < drawn.count("2") < 1_100
    again = random.Random(7)
    assert drawn == [chosen_version(alias, again) for _ in range(4_000)]


async def test_a_manifests_function_has_a_digest_too(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        got = aws.get_function_configuration(FunctionName="hello")
        assert len(got["CodeSha256"]) == 44
        assert aws.publish_version(FunctionName="hello")["CodeSha256"] == got["CodeSha256"]
        location = aws.get_function(FunctionName="hello")["Code"]["Location"]
        with urllib.request.urlopen(location) as answer:
            digest = hashlib.sha256(answer.read()).digest()
        assert base64.b64encode(digest).decode() == got["CodeSha256"]
        assert aws.invoke(FunctionName="hello:1")["ExecutedVersion"] == "1"

    await using(endpoint, use)


@pytest.mark.parametrize(
    ("name", "qualifier", "code"),
    [
        ("arn:aws:lambda:eu-west-1:000000000000:function:hello", None, "ResourceNotFoundException"),
        ("arn:aws:lambda:us-east-1:123456789012:function:hello", None, "AccessDeniedException"),
        ("hello:1", "2", "InvalidParameterValueException"),
        ("hello", "no", "ResourceNotFoundException"),
    ],
)
async def test_what_invoke_cannot_reach(
    endpoint: Endpoint, name: str, qualifier: str | None, code: str
) -> None:
    asked = {} if qualifier is None else {"Qualifier": qualifier}
    told = await refused(endpoint, "invoke", FunctionName=name, **asked)
    assert told[1] == code


async def test_a_function_that_is_being_made(endpoint: Endpoint) -> None:
    registry = endpoint.rig.emulator.registry
    latest = registry.functions["hello"].latest
    registry.put(replace(latest, document={**latest.document, "State": "Pending"}))
    status, code, told = await refused(endpoint, "invoke", FunctionName="hello")
    assert (status, code) == (409, "ResourceConflictException")
    assert told.endswith("The function is currently in the following state: Pending")
    for operation in ("publish_version", "update_function_configuration"):
        told = (await refused(endpoint, operation, FunctionName="hello"))[1]
        assert told == "ResourceConflictException"
    registry.put(latest)
    answer = await using(endpoint, lambda aws: aws.invoke(FunctionName="hello"))
    assert answer["StatusCode"] == 200


async def test_logging_reaches_the_environment(made: Endpoint) -> None:
    def use(aws: Any) -> None:
        config = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": "mine"}
        aws.update_function_configuration(FunctionName="made", LoggingConfig=config)

    await using(made, use)
    logging = made.rig.emulator.functions["made"].function.configuration.logging
    assert logging == LoggingConfig("JSON", "WARN", "INFO", "mine")
