"""Tags of functions and of the account's objects through boto3."""

from typing import Any

import pytest

from tests.lambda_api.client import new_function, refused, using
from tests.lambda_api.conftest import Endpoint
from tests.lambda_api.qualified import ARN

PUBLISHERS = {
    "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p"]
}


async def test_tags_come_and_go(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        before = aws.get_function_configuration(FunctionName="hello")["RevisionId"]
        aws.tag_resource(Resource=ARN, Tags={"a": "1", "b": "2"})
        aws.tag_resource(Resource=ARN, Tags={"b": "3"})
        assert aws.list_tags(Resource=ARN)["Tags"] == {"a": "1", "b": "3"}
        got = aws.get_function(FunctionName="hello")
        assert got["Tags"] == {"a": "1", "b": "3"}
        assert got["Configuration"]["RevisionId"] != before
        aws.untag_resource(Resource=ARN, TagKeys=["a", "b", "c"])
        assert aws.list_tags(Resource=ARN)["Tags"] == {}
        assert "Tags" not in aws.get_function(FunctionName="hello")

    await using(endpoint, use)


async def test_other_objects_have_tags(endpoint: Endpoint) -> None:
    def use(aws: Any) -> None:
        made = aws.create_code_signing_config(AllowedPublishers=PUBLISHERS, Tags={"a": "1"})
        arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
        aws.tag_resource(Resource=arn, Tags={"b": "2"})
        assert aws.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
        aws.untag_resource(Resource=arn, TagKeys=["a", "b"])
        assert aws.list_tags(Resource=arn)["Tags"] == {}

    await using(endpoint, use)


_UUID = "5fc3db9a-9550-45a2-8e10-5a277027e221"
_ACCOUNT = ARN.removesuffix(":function:hello")


@pytest.mark.parametrize(
    ("arn", "status", "message"),
    [
        ("arn:aws:something", 400, "1 validation error detected: Value 'arn:aws:something' at"),
        (f"{ARN}x", 404, f"Function not found: {ARN}x"),
        (f"{ARN}:1", 400, "Tags on function aliases and versions are not supported."),
        (
            f"{_ACCOUNT}:event-source-mapping:{_UUID}",
            404,
            f"Event source mapping not found: {_ACCOUNT}:event-source-mapping:{_UUID}",
        ),
        (f"{_ACCOUNT}:capacity-provider:some", 404, "Capacity provider not found: "),
    ],
)
async def test_what_has_no_tags(endpoint: Endpoint, arn: str, status: int, message: str) -> None:
    for operation, more in (
        ("list_tags", {}),
        ("tag_resource", {"Tags": {"a": "1"}}),
        ("untag_resource", {"TagKeys": ["a"]}),
    ):
        told = await refused(endpoint, operation, Resource=arn, **more)
        assert told[0] == status
        assert told[2].startswith(message)


async def test_tags_are_bounded(endpoint: Endpoint) -> None:
    told = await refused(endpoint, "tag_resource", Resource=ARN, Tags={})
    assert told[2] == "An error occurred and the request cannot be processed."
    many = {f"key{index}": "" for index in range(51)}
    told = await refused(endpoint, "tag_resource", Resource=ARN, Tags=many)
    assert told[1:] == (
        "InvalidParameterValueException",
        "Number of tags exceeds resource tag limit.",
    )
    told = await refused(endpoint, "create_function", **new_function(Tags=many))
    assert told[2] == "Number of tags exceeds resource tag limit."
    told = await refused(endpoint, "untag_resource", Resource=ARN, TagKeys=[])
    assert told[2].startswith("1 validation error detected: Value null at 'tagKeys'")
