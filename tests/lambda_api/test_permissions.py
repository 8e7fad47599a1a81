"""Resource policies through boto3."""

import json
from typing import Any

import pytest

from tests.lambda_api.client import new_function, refused, using
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.qualified import ARN, with_alias

INVOKE: dict[str, Any] = {
    "FunctionName": "hello",
    "StatementId": "s3",
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
}


async def test_a_policy_grows_and_shrinks(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        before = aws.get_function_configuration(FunctionName="hello")["RevisionId"]
        added = aws.add_permission(**INVOKE, SourceArn="arn:aws:s3:::b", RevisionId=before)
        assert json.loads(added["Statement"]) == {
            "Sid": "s3",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": ARN,
            "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}},
        }
        aws.add_permission(**{**INVOKE, "StatementId": "all", "Principal": "*"})
        policy = aws.get_policy(FunctionName=ARN)
        assert [one["Sid"] for one in json.loads(policy["Policy"])["Statement"]] == ["s3", "all"]
        revision = aws.get_function_configuration(FunctionName="hello")["RevisionId"]
        assert policy["RevisionId"] == revision != before
        aws.remove_permission(FunctionName="hello", StatementId="s3", RevisionId=revision)
        assert aws.get_policy(FunctionName="hello")["RevisionId"] != revision
        aws.remove_permission(FunctionName="hello", StatementId="all")

    await using(endpoint, use)
    told = await refused(endpoint, "get_policy", FunctionName="hello")
    assert told == (
        404,
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )


async def test_versions_and_aliases_have_their_own(endpoint: Endpoint) -> None:
    with_alias(endpoint)

    def use(aws: Any) -> None:
        aws.add_permission(**INVOKE, Qualifier="1")
        aws.add_permission(**INVOKE, Qualifier="live")
        for qualifier in ("1", "live"):
            policy = json.loads(aws.get_policy(FunctionName="hello", Qualifier=qualifier)["Policy"])
            assert policy["Statement"][0]["Resource"] == f"{ARN}:{qualifier}"

    await using(endpoint, use)
    assert (await refused(endpoint, "get_policy", FunctionName="hello"))[0] == 404


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", "*"),
        ("123456789012", {"AWS": "arn:aws:iam::123456789012:root"}),
        ("arn:aws:iam::123456789012:user/ann", {"AWS": "arn:aws:iam::123456789012:user/ann"}),
        ("apigateway.amazonaws.com", {"Service": "apigateway.amazonaws.com"}),
    ],
)
async def test_principals(endpoint: Endpoint, principal: str, named: object) -> None:
    added = await using(
        endpoint, lambda aws: aws.add_permission(**{**INVOKE, "Principal": principal})
    )
    assert json.loads(added["Statement"])["Principal"] == named


async def test_conditions(endpoint: Endpoint) -> None:
    added = await using(
        endpoint,
        lambda aws: aws.add_permission(
            **{**INVOKE, "Principal": "*", "Action": "lambda:InvokeFunctionUrl"},
            SourceAccount="123456789012",
            EventSourceToken="token",
            FunctionUrlAuthType="NONE",
            PrincipalOrgID="o-1234567890",
            InvokedViaFunctionUrl=True,
        ),
    )
    assert json.loads(added["Statement"])["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "123456789012",
            "lambda:EventSourceToken": "token",
            "lambda:FunctionUrlAuthType": "NONE",
            "aws:PrincipalOrgID": "o-1234567890",
        },
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
    }


ADD: list[tuple[dict[str, Any], int, str]] = [
    ({"StatementId": "a.b"}, 400, "1 validation error detected: Value 'a.b' at 'statementId'"),
    ({"Qualifier": "$LATEST"}, 400, "We currently do not support adding policies for $LATEST."),
    ({"FunctionName": "none"}, 404, f"Function not found: {ARN[:-5]}none"),
    ({"Qualifier": "nix"}, 404, f"Cannot find alias arn: {ARN}:nix"),
    ({"Qualifier": "a$b"}, 404, f"Function not found: {ARN}:a$b"),
    ({"Qualifier": "7"}, 404, f"Function not found: {ARN}:7"),
    ({"Principal": "example.org"}, 400, "The provided principal was invalid."),
    ({"StatementId": "there"}, 409, "The statement id (there) provided already exists."),
    ({"RevisionId": "old"}, 412, "The Revision Id provided does not match the latest"),
]


@pytest.mark.parametrize(("change", "status", "message"), ADD)
async def test_what_add_permission_refuses(
    endpoint: Endpoint, change: dict[str, Any], status: int, message: str
) -> None:
    await using(endpoint, lambda aws: aws.add_permission(**{**INVOKE, "StatementId": "there"}))
    told = await refused(endpoint, "add_permission", **{**INVOKE, **change})
    assert told[0] == status
    assert told[2].startswith(message)


async def test_what_remove_permission_refuses(endpoint: Endpoint) -> None:
    with_alias(endpoint)
    asked = {"FunctionName": "hello", "StatementId": "s3"}

    async def told(**change: Any) -> tuple[int, str]:
        status, _, message = await refused(endpoint, "remove_permission", **{**asked, **change})
        return status, message

    assert await told(FunctionName="none") == (404, f"No policy found for: {ARN[:-5]}none")
    assert await told() == (404, "No policy is associated with the given resource.")
    assert await told(Qualifier="nix") == (404, f"Cannot find alias arn: {ARN}:nix")
    await using(endpoint, lambda aws: aws.add_permission(**INVOKE))
    missing = "Statement nix is not found in resource policy."
    assert await told(StatementId="nix") == (404, missing)
    assert (await told(RevisionId="old"))[0] == 412


async def test_a_policy_added_while_the_function_is_made_does_not_hold_it_up(
    endpoint: Endpoint,
) -> None:
    def use(aws: Any) -> None:
        aws.create_function(**new_function())
        aws.add_permission(**{**INVOKE, "FunctionName": "made"})
        aws.tag_resource(Resource=f"{ARN[:-5]}made", Tags={"a": "b"})
        aws.get_waiter("function_active_v2").wait(FunctionName="made")

    await using(endpoint, use)
