"""A handler's own AWS client finds the daemon's endpoint with no setting, on both engines."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.integration.conftest import Begin
from tests.integration.project import Project

_SDK = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_SERVICES = {"sqs", "lambda", "sns"}
_CODE = """
import json
import os
import urllib.error
import urllib.parse
import urllib.request

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def ask(service, path, body, kind):
    scope = "x/20260101/us-east-1/%s/aws4_request" % service
    headers = {"Content-Type": kind, "Authorization": "AWS4-HMAC-SHA256 Credential=" + scope}
    url = path if path.startswith("http") else ENDPOINT + path
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def form(path, **fields):
    kind = "application/x-www-form-urlencoded"
    return ask("sqs", path, urllib.parse.urlencode(fields).encode(), kind)[1]


def by_hand(event):
    made = form("/", Action="CreateQueue", QueueName="orders")
    url = made.partition("<QueueUrl>")[2].partition("</QueueUrl>")[0]
    form(url, Action="SendMessage", MessageBody=event["message"])
    path = "/2015-03-31/functions/other/invocations"
    greeting = json.loads(ask("lambda", path, json.dumps(event).encode(), "application/json")[1])
    status, refused = ask("sns", "/", b"Action=ListTopics&Version=2010-03-31",
                          "application/x-www-form-urlencoded")
    return {"url": url, "greeting": greeting, "refused": refused, "status": status}


def by_sdk(event):
    import boto3

    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=event["message"])
    answer = functions.invoke(FunctionName="other", Payload=json.dumps(event))
    try:
        boto3.client("sns").list_topics()
    except Exception as error:
        refused, status = str(error), error.response["ResponseMetadata"]["HTTPStatusCode"]
    greeting = json.load(answer["Payload"])
    return {"url": url, "greeting": greeting, "refused": refused, "status": status}


def handler(event, context):
    if "variable" in event:
        return os.environ[event["variable"]]
    found = by_sdk(event) if event["sdk"] else by_hand(event)
    return {**found, "endpoint": ENDPOINT}
"""
_OTHER = """
def handler(event, context):
    return "hello " + event["name"]
"""


def _bring_sdk(folder: Path) -> None:
    """The tests' own SDK, with the models of a few services: images made from the host lack it."""

    def unneeded(place: str, names: list[str]) -> list[str]:
        models = Path(place).parts[-2:] == ("botocore", "data")
        dropped = {name for name in names if (Path(place) / name).is_dir()} - _SERVICES
        return ["__pycache__", *(sorted(dropped) if models else ())]

    for name in _SDK:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        origin = Path(found.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, folder / name, ignore=unneeded)
        else:
            shutil.copy(origin, folder)


@pytest.fixture(scope="module")
def shop(begin: Begin, engine: str) -> Iterator[Project]:
    with begin(engine) as made:
        made.describe(
            {
                "asking": {},
                "other": {},
                "elsewhere": {
                    "code": "./asking",
                    "environment": {"AWS_ENDPOINT_URL": "http://minio:9000"},
                },
            }
        )
        made.write({"asking/app.py": _CODE, "other/app.py": _OTHER})
        _bring_sdk(made.folder / "asking")
        made.succeed("deploy")
        yield made


def _received(project: Project) -> list[str]:
    client: Any = boto3.client(
        "sqs",
        endpoint_url=project.status()["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    url = client.get_queue_url(QueueName="orders")["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
    messages = found.get("Messages", [])
    for message in messages:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "by hand"])
def test_a_handler_sends_a_message_and_invokes_a_function(
    shop: Project, engine: str, sdk: bool
) -> None:
    event = {"message": f"sdk={sdk}", "name": "you", "sdk": sdk}
    found = shop.invoke("asking", event)["payload"]
    endpoint = shop.status()["endpoint"] if engine == "process" else "http://127.0.0.1:9002"
    assert found["endpoint"] == endpoint
    assert found["url"] == f"{endpoint}/000000000000/orders"
    assert found["greeting"] == "hello you"
    assert found["status"] == 501
    assert "lambdash does not serve sns yet" in found["refused"]
    assert _received(shop) == [f"sdk={sdk}"]


def test_the_functions_own_variable_wins(shop: Project) -> None:
    answer = shop.invoke("elsewhere", {"variable": "AWS_ENDPOINT_URL"})
    assert answer["payload"] == "http://minio:9000"


@pytest.mark.docker
def test_no_network_is_needed(begin: Begin, docker_engine: None) -> None:
    with begin("docker") as project:
        project.describe({"asking": {}, "other": {}}, network="none")
        project.write({"asking/app.py": _CODE, "other/app.py": _OTHER})
        project.succeed("deploy")
        found = project.invoke("asking", {"message": "m", "name": "you", "sdk": False})["payload"]
        assert found["greeting"] == "hello you"
        assert _received(project) == ["m"]
