"""STS: what deploy scripts ask before anything else."""

from datetime import UTC, datetime, timedelta

from tests.aws_gateway.conftest import Aws

ROLE = "arn:aws:iam::000000000000:role/ci/deployer"
SCOPE = "AWS4-HMAC-SHA256 Credential=x/1/us-east-1/sts/aws4_request"


async def test_who_is_asking(aws: Aws) -> None:
    assert await aws.call("sts", "get_caller_identity") == {
        "UserId": "000000000000",
        "Account": "000000000000",
        "Arn": "arn:aws:iam::000000000000:root",
    }


async def test_credentials_are_plainly_local(aws: Aws) -> None:
    found = await aws.call("sts", "assume_role", RoleArn=ROLE, RoleSessionName="me")
    user = found["AssumedRoleUser"]
    assert user["Arn"] == "arn:aws:sts::000000000000:assumed-role/deployer/me"
    assert user["AssumedRoleId"].startswith("AROA")
    assert user["AssumedRoleId"].endswith(":me")
    credentials = found["Credentials"]
    assert "local" in credentials["SecretAccessKey"]
    left = credentials["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


async def test_a_session_lasts_as_long_as_asked(aws: Aws) -> None:
    found = await aws.call("sts", "get_session_token", DurationSeconds=900)
    left = found["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


async def test_refusals(aws: Aws) -> None:
    code, message = await aws.refused("sts", "assume_role", RoleArn=ROLE, RoleSessionName="!")
    assert code == "ValidationError"
    assert message.startswith("2 validation errors detected: Value '!' at 'roleSessionName'")
    code, _ = await aws.refused("sts", "assume_role", RoleArn="x" * 20, RoleSessionName="me")
    assert code == "ValidationError"
    code, message = await aws.refused("sts", "assume_role", RoleArn=ROLE)
    assert "Value null at 'roleSessionName'" in message
    code, message = await aws.refused("sts", "get_access_key_info", AccessKeyId="A" * 16)
    assert (code, message) == (
        "NotImplementedException",
        "lambdash does not support GetAccessKeyInfo of STS.",
    )


async def test_forms_that_make_no_sense(aws: Aws) -> None:
    for body, code in (
        ("", b"MissingAction"),
        ("Action=Nonsense", b"InvalidAction"),
        ("Action=GetSessionToken&DurationSeconds=soon", b"InvalidParameterValue"),
        ("Action=GetSessionToken&DurationSeconds=" + "9" * 30, b"SerializationException"),
        ("a=b&" * 3_000, b"MalformedQueryString"),
    ):
        status, answer = await aws.post(body, Authorization=SCOPE)
        assert (status, b"<Code>" + code + b"</Code>" in answer) == (400, True), answer
