"""IAM's roles: stored and reported, as deploy scripts and Terraform make and take them away."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.aws_gateway.conftest import Aws

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
POLICY = json.dumps({"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


async def make(aws: Aws, name: str = "runner", **parameters: object) -> None:
    await aws.call(
        "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=TRUST, **parameters
    )


async def test_a_role_is_stored_and_reported(aws: Aws) -> None:
    made = await aws.call(
        "iam",
        "create_role",
        RoleName="runner",
        Path="/jobs/",
        AssumeRolePolicyDocument=TRUST,
        Description="runs <things> & more",
        Tags=[{"Key": "team", "Value": "a"}],
        PermissionsBoundary=BASIC,
    )
    found = (await aws.call("iam", "get_role", RoleName="runner"))["Role"]
    assert found == made["Role"]
    assert found["Arn"] == "arn:aws:iam::000000000000:role/jobs/runner"
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert found["Description"] == "runs <things> & more"
    assert found["Tags"] == [{"Key": "team", "Value": "a"}]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == BASIC
    assert found["MaxSessionDuration"] == 3600
    assert len(found["RoleId"]) == 21
    assert datetime.now(UTC) - found["CreateDate"] < timedelta(minutes=1)


async def test_names_are_taken_once_whatever_their_case(aws: Aws) -> None:
    await make(aws)
    for name in ("runner", "Runner"):
        assert await aws.refused(
            "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=TRUST
        ) == ("EntityAlreadyExists", f"Role with name {name} already exists.")


async def test_what_is_not_there(aws: Aws) -> None:
    gone = ("NoSuchEntity", "The role with name runner cannot be found.")
    assert await aws.refused("iam", "get_role", RoleName="runner") == gone
    assert await aws.refused("iam", "delete_role", RoleName="runner") == gone
    await make(aws)
    assert await aws.refused("iam", "get_role_policy", RoleName="runner", PolicyName="p") == (
        "NoSuchEntity",
        "The role policy with name p cannot be found.",
    )
    assert await aws.refused("iam", "detach_role_policy", RoleName="runner", PolicyArn=BASIC) == (
        "NoSuchEntity",
        f"Policy {BASIC} was not found.",
    )


async def test_inline_policies(aws: Aws) -> None:
    await make(aws)
    named = {"RoleName": "runner", "PolicyName": "queues"}
    await aws.call("iam", "put_role_policy", **named, PolicyDocument=POLICY)
    found = await aws.call("iam", "get_role_policy", **named)
    assert found["PolicyDocument"] == json.loads(POLICY)
    listed = await aws.call("iam", "list_role_policies", RoleName="runner")
    assert listed == {"PolicyNames": ["queues"], "IsTruncated": False}
    assert await aws.refused("iam", "delete_role", RoleName="runner") == (
        "DeleteConflict",
        "Cannot delete entity, must delete policies first.",
    )
    await aws.call("iam", "delete_role_policy", **named)
    await aws.call("iam", "delete_role", RoleName="runner")
    assert (await aws.call("iam", "list_roles"))["Roles"] == []


async def test_attached_policies(aws: Aws) -> None:
    await make(aws)
    for _ in range(2):
        await aws.call("iam", "attach_role_policy", RoleName="runner", PolicyArn=BASIC)
    found = await aws.call("iam", "list_attached_role_policies", RoleName="runner")
    assert found["AttachedPolicies"] == [
        {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}
    ]
    elsewhere = await aws.call(
        "iam", "list_attached_role_policies", RoleName="runner", PathPrefix="/mine/"
    )
    assert elsewhere["AttachedPolicies"] == []
    assert await aws.refused("iam", "delete_role", RoleName="runner") == (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    )
    await aws.call("iam", "detach_role_policy", RoleName="runner", PolicyArn=BASIC)
    assert (await aws.call("iam", "list_instance_profiles_for_role", RoleName="runner"))[
        "InstanceProfiles"
    ] == []
    await aws.call("iam", "delete_role", RoleName="runner")


async def test_changes_of_a_role(aws: Aws) -> None:
    await make(aws)
    await aws.call("iam", "update_role", RoleName="runner", Description="new")
    trust = TRUST.replace("lambda", "edgelambda")
    await aws.call("iam", "update_assume_role_policy", RoleName="runner", PolicyDocument=trust)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    await aws.call("iam", "tag_role", RoleName="runner", Tags=tags)
    await aws.call("iam", "untag_role", RoleName="runner", TagKeys=["a", "none"])
    found = (await aws.call("iam", "get_role", RoleName="runner"))["Role"]
    assert found["Description"] == "new"
    assert found["AssumeRolePolicyDocument"] == json.loads(trust)
    assert found["Tags"] == tags[1:]
    assert (await aws.call("iam", "list_role_tags", RoleName="runner"))["Tags"] == tags[1:]


async def test_lists_have_pages(aws: Aws) -> None:
    for name in ("c", "a", "b"):
        await make(aws, name, Path="/x/" if name == "c" else "/")
    first = await aws.call("iam", "list_roles", MaxItems=2)
    assert [role["RoleName"] for role in first["Roles"]] == ["a", "b"]
    assert first["IsTruncated"] is True
    rest = await aws.call("iam", "list_roles", Marker=first["Marker"])
    assert [role["RoleName"] for role in rest["Roles"]] == ["c"]
    assert rest["IsTruncated"] is False
    under = await aws.call("iam", "list_roles", PathPrefix="/x/")
    assert [role["RoleName"] for role in under["Roles"]] == ["c"]
    assert (await aws.refused("iam", "list_roles", Marker="x"))[0] == "InvalidInput"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("[" * 2_000, "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        ('{"Statement": [{"Effect": "Maybe"}]}', "Syntax errors in policy."),
        (POLICY, "Has prohibited field Resource"),
    ],
)
async def test_what_is_no_policy_of_trust(aws: Aws, document: str, message: str) -> None:
    found = await aws.refused("iam", "create_role", RoleName="x", AssumeRolePolicyDocument=document)
    assert found == ("MalformedPolicyDocument", message)


async def test_bounds(aws: Aws) -> None:
    await make(aws)
    long = POLICY + " " * 10_240
    assert (
        await aws.refused(
            "iam", "put_role_policy", RoleName="runner", PolicyName="p", PolicyDocument=long
        )
    )[0] == "LimitExceeded"
    trust = TRUST + " " * 2_048
    found = await aws.refused("iam", "create_role", RoleName="x", AssumeRolePolicyDocument=trust)
    assert found == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
    for number in range(10):
        arn = f"arn:aws:iam::000000000000:policy/p{number}"
        await aws.call("iam", "attach_role_policy", RoleName="runner", PolicyArn=arn)
    found = await aws.refused("iam", "attach_role_policy", RoleName="runner", PolicyArn=BASIC)
    assert found == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")
    for tags, code in (
        ([{"Key": str(n), "Value": ""} for n in range(51)], "ValidationError"),
        ([{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}], "InvalidInput"),
    ):
        assert (await aws.refused("iam", "tag_role", RoleName="runner", Tags=tags))[0] == code
    await aws.call(
        "iam", "tag_role", RoleName="runner", Tags=[{"Key": str(n), "Value": ""} for n in range(50)]
    )
    more = [{"Key": "more", "Value": ""}]
    assert (await aws.refused("iam", "tag_role", RoleName="runner", Tags=more))[0] == (
        "LimitExceeded"
    )


async def test_refusals(aws: Aws) -> None:
    await make(aws)
    code, message = await aws.refused("iam", "get_role", RoleName="no good")
    assert code == "ValidationError"
    assert "Value 'no good' at 'roleName' failed to satisfy constraint" in message
    arn = "arn:aws:iam::aws:rolf/notapolicy"
    assert await aws.refused("iam", "attach_role_policy", RoleName="runner", PolicyArn=arn) == (
        "InvalidInput",
        f"ARN {arn} is not valid.",
    )
    code, message = await aws.refused("iam", "create_policy", PolicyName="p", PolicyDocument=POLICY)
    assert code == "NotImplementedException"
    assert "CreatePolicy of IAM" in message


async def test_roles_survive_a_restart(make_aws: Callable[..., Awaitable[Aws]]) -> None:
    first = await make_aws()
    await make(first)
    await first.rig.close()
    second = await make_aws()
    assert (await second.call("iam", "get_role", RoleName="runner"))["Role"]["Path"] == "/"
