"""Signatures: botocore signs, we verify."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from lambdash.http.server import Request
from lambdash.lambda_api.answers import Refusal
from lambdash.lambda_api.signature import verify

KEYS = {"AKLOCAL": "secret"}
TARGETS = [
    "/",
    "/2015-03-31/functions/hello/invocations",
    "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=%24LATEST",
    "/2015-03-31/functions?MaxItems=5&Marker=a%2Fb%20c&b=&a=2&a=1",
    "/2017-03-31/tags/a%20b?tagKeys=x%2By&tagKeys=%C3%BC",
]


def signed(
    target: str, secret: str = "secret", key: str = "AKLOCAL", body: bytes = b"{}"
) -> Request:
    url = f"http://127.0.0.1:4566{target}"
    asked = AWSRequest("POST", url, data=body, headers={"Host": "127.0.0.1:4566"})
    SigV4Auth(Credentials(key, secret), "lambda", "us-east-1").add_auth(asked)
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers.items()]
    return Request("POST", target.encode(), headers, body)


def refusal(request: Request, now: datetime | None = None) -> str:
    with pytest.raises(Refusal) as refused:
        verify(request, KEYS, now or datetime.now(UTC))
    assert refused.value.status == 403
    return refused.value.error[0]


@pytest.mark.parametrize("target", TARGETS)
def test_what_botocore_signed(target: str) -> None:
    verify(signed(target), KEYS, datetime.now(UTC))


@pytest.mark.parametrize("target", TARGETS)
def test_another_secret(target: str) -> None:
    assert refusal(signed(target, secret="other")) == "InvalidSignatureException"


def test_another_body() -> None:
    request = signed("/")
    request.body = b"[]"
    assert refusal(request) == "InvalidSignatureException"


def test_an_unknown_key() -> None:
    assert refusal(signed("/", key="AKOTHER")) == "UnrecognizedClientException"


def test_an_old_signature() -> None:
    later = datetime.now(UTC) + timedelta(minutes=6)
    assert refusal(signed("/"), later) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], "MissingAuthenticationTokenException"),
        ([(b"authorization", b"Basic abc")], "IncompleteSignatureException"),
    ],
)
def test_no_signature(headers: list[tuple[bytes, bytes]], expected: str) -> None:
    assert refusal(Request("GET", b"/", headers, b"")) == expected


@pytest.mark.parametrize("left_out", [b"x-amz-date", b"host"])
def test_what_must_be_signed(left_out: bytes) -> None:
    request = signed("/")
    name = left_out.decode()
    request.headers = [
        (header, value.replace(f"{name};".encode(), b"").replace(f";{name}".encode(), b""))
        for header, value in request.headers
    ]
    assert refusal(request) == "IncompleteSignatureException"


def test_a_date_that_is_none() -> None:
    request = signed("/")
    request.headers = [
        (header, b"yesterday" if header == b"x-amz-date" else value)
        for header, value in request.headers
    ]
    assert refusal(request) == "IncompleteSignatureException"


async def test_a_listener_that_verifies(make_endpoint: Any) -> None:
    endpoint = await make_endpoint(keys=KEYS)
    await endpoint.rig.deploy()

    def use(secret: str) -> str:
        aws = boto3.client(
            "lambda",
            endpoint_url=endpoint.url,
            region_name="us-east-1",
            aws_access_key_id="AKLOCAL",
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        try:
            assert aws.invoke(FunctionName="hello", Payload=b"1")["StatusCode"] == 200
            aws.list_functions(MaxItems=3)
            aws.list_tags(Resource="arn:aws:lambda:us-east-1:000000000000:function:hello")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "fine"

    assert await asyncio.to_thread(use, "secret") == "fine"
    assert await asyncio.to_thread(use, "wrong") == "InvalidSignatureException"
    assert (await endpoint.invoke()).status == 403
