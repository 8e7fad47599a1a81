"""The AWS endpoint as boto3, plain HTTP clients and web pages meet it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.conftest import Begin
from tests.integration.endpoint import Answer, Caller
from tests.integration.project import Project

pytestmark = pytest.mark.shared
_HANDLER = """
import json

def handler(event, context):
    print("seen", json.dumps(event))
    if event.get("fail"):
        raise KeyError("asked to")
    custom = context.client_context.custom if context.client_context else None
    return {"event": event, "arn": context.invoked_function_arn, "custom": custom}
"""


@pytest.fixture(scope="module")
def serving(begin: Begin) -> Iterator[Project]:
    with begin("process") as project:
        project.describe({"shown": {"memory_size": 128}}, region="eu-west-1")
        project.write({"shown/app.py": _HANDLER})
        project.succeed("deploy")
        yield project


@pytest.fixture(scope="module")
def served_at(serving: Project) -> str:
    return str(serving.status()["endpoint"])


@pytest.fixture
def aws(served_at: str) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        endpoint_url=served_at,
        region_name="eu-west-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


def _refused(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return dict(caught.value.response)


def test_request_response(aws: Any) -> None:
    answer = aws.invoke(FunctionName="shown", Payload=b'{"n": 1}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert "LogResult" not in answer
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:shown"
    assert json.load(answer["Payload"]) == {"event": {"n": 1}, "arn": arn, "custom": None}


@pytest.mark.parametrize(
    "name",
    [
        "shown",
        "shown:$LATEST",
        "arn:aws:lambda:eu-west-1:000000000000:function:shown",
        "000000000000:function:shown",
    ],
)
def test_every_way_to_name_a_function(aws: Any, name: str) -> None:
    assert aws.invoke(FunctionName=name)["StatusCode"] == 200
    assert json.load(aws.invoke(FunctionName=name)["Payload"])["event"] == {}


def test_qualifiers(aws: Any) -> None:
    assert aws.invoke(FunctionName="shown", Qualifier="$LATEST")["StatusCode"] == 200
    unknown = _refused(aws.invoke, FunctionName="shown", Qualifier="live")
    assert unknown["Error"]["Code"] == "ResourceNotFoundException"
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:shown:live"
    assert unknown["Error"]["Message"] == f"Function not found: {arn}"


def test_log_tail_and_function_error(aws: Any) -> None:
    answer = aws.invoke(FunctionName="shown", Payload=b'{"fail": 1}', LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert 'seen {"fail": 1}' in base64.b64decode(answer["LogResult"]).decode()
    error = json.load(answer["Payload"])
    assert error.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert error["errorType"] == "KeyError"
    assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_client_context_reaches_the_function(aws: Any) -> None:
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    answer = aws.invoke(FunctionName="shown", ClientContext=context)
    assert json.load(answer["Payload"])["custom"] == {"a": "b"}


def test_a_dry_run_runs_nothing(aws: Any, serving: Project) -> None:
    before = len(serving.succeed("history", "--limit", "1000")["invocations"])
    answer = aws.invoke(FunctionName="shown", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert len(serving.succeed("history", "--limit", "1000")["invocations"]) == before


def test_what_is_not_there_is_refused_by_name(aws: Any) -> None:
    unknown = _refused(aws.invoke, FunctionName="other")
    assert unknown["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert unknown["Error"]["Code"] == "ResourceNotFoundException"
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:other"
    assert unknown["Error"]["Message"] == f"Function not found: {arn}"

    listed = _refused(aws.list_capacity_providers)
    assert listed["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListCapacityProviders is not supported" in listed["Error"]["Message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "example.com"},
        {"Host": "example.com:4566"},
    ],
    ids=lambda headers: "-".join(*headers.items()),
)
def test_a_web_page_cannot_invoke(
    serving: Project, served_at: str, headers: dict[str, str]
) -> None:
    before = len(serving.succeed("history", "--limit", "1000")["invocations"])
    with Caller(served_at) as caller:
        refused = caller.invoke("shown", b"{}", **headers)
        assert (refused.status, refused.headers["x-amzn-errortype"]) == (
            403,
            "AccessDeniedException",
        )
        assert "access-control-allow-origin" not in refused.headers
    assert len(serving.succeed("history", "--limit", "1000")["invocations"]) == before


def test_tools_are_served_by_every_name_of_this_machine(served_at: str) -> None:
    port = served_at.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1", "host.docker.internal"):
        answer = _invoke_as(served_at, f"{host}:{port}")
        assert answer.status == 200


def _invoke_as(served_at: str, host: str) -> Answer:
    with Caller(served_at) as caller:
        return caller.invoke("shown", b"{}", Host=host, Sec_Fetch_Site="none")
