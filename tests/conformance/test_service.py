"""What the Lambda API answers around an invocation, and the life between two of them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import Cloud
from tests.integration.endpoint import Caller
from tests.integration.project import until


def _refused(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return dict(caught.value.response)


def test_throttled(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (TooManyRequestsException)"""
    refused = _refused(cloud.aws.invoke, FunctionName="closed")
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert refused["Error"]["Code"] == "TooManyRequestsException"
    assert refused["Error"]["Message"] == "Rate Exceeded."
    assert refused["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused["Type"] == "User"


def test_headers(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (Response Syntax)"""
    with Caller(cloud.endpoint) as caller:
        well = caller.invoke("py", b'{"do": "return"}')
        failed = caller.invoke("py", b'{"do": "raise"}')
    assert (well.status, failed.status) == (200, 200)
    assert well.headers["x-amz-executed-version"] == "$LATEST"
    assert "x-amz-function-error" not in well.headers
    assert "x-amz-log-result" not in well.headers
    assert failed.headers["x-amz-function-error"] == "Unhandled"
    assert well.headers["content-type"] == "application/json"


def test_asynchronous(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html: 202, an empty body"""
    marked = json.dumps({"do": "print", "text": "came later"}).encode()
    answer = cloud.aws.invoke(FunctionName="py", InvocationType="Event", Payload=marked)
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert "FunctionError" not in answer
    request_id = answer["ResponseMetadata"]["RequestId"]

    def printed() -> bool:
        found = cloud.project.succeed("logs", "py", "--request-id", request_id)["events"]
        return any(event["text"] == "came later" for event in found)

    until(printed, "the event to be run")


def test_an_event_too_large(cloud: Cloud) -> None:
    """https://aws.amazon.com/about-aws/whats-new/2025/10: asynchronous payloads of 1 MB"""
    pad = "x" * (1024 * 1024)
    refused = _refused(
        cloud.aws.invoke,
        FunctionName="py",
        InvocationType="Event",
        Payload=json.dumps({"do": "return", "pad": pad}).encode(),
    )
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refused["Error"]["Code"] == "RequestTooLargeException"


def test_an_environment_is_used_again(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: globals and
    `/tmp` last"""
    first = cloud.invoke("py", {"do": "count"}).payload
    second = cloud.invoke("py", {"do": "count"}).payload
    assert second["count"] == first["count"] + 1
    assert second["kept"] is True
    assert second["pid"] == first["pid"]


def test_a_function_that_is_not_there(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (ResourceNotFoundException)"""
    refused = _refused(cloud.aws.invoke, FunctionName="absent")
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 404
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:absent"
    assert refused["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": f"Function not found: {arn}",
    }
