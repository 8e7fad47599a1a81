"""What the manifest connects a function to, with a real handler on each engine."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.integration.conftest import Begin
from tests.integration.project import Project, until

_HANDLER = """
import json

def handler(event, context):
    if "Records" in event:
        print("batch", ",".join(record["body"] for record in event["Records"]))
        return {"batchItemFailures": []}
    print("request", event["rawPath"])
    return {"statusCode": 201, "headers": {"content-type": "text/plain"}, "body": event["routeKey"]}

def broken(event, context):
    raise ValueError("no")
"""


@pytest.fixture(scope="module")
def serving(begin: Begin, engine: str) -> Iterator[Project]:
    with begin(engine) as project:
        project.describe(
            {
                "orders": {
                    "url": {},
                    "event_sources": [{"http": "GET /orders/{id}"}, {"sqs": "jobs"}],
                },
                "broken": {
                    "code": "./orders",
                    "handler": "app.broken",
                    "dead_letter": {"queue": "failed"},
                },
            },
            time_scale=0.001,
            resources={"queues": {"jobs": {}, "failed": {}}},
        )
        project.write({"orders/app.py": _HANDLER})
        project.succeed("deploy")
        yield project


@pytest.fixture
def queues(serving: Project) -> Iterator[Any]:
    client = boto3.client(
        "sqs",
        endpoint_url=str(serving.status()["endpoint"]),
        region_name="us-east-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
    )
    yield client
    client.close()


def url(project: Project, kind: str) -> str:
    urls = project.succeed("urls")["urls"]
    (found,) = (one["url"] for one in urls if one["kind"] == kind)
    return str(found)


def get(target: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(target, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.read().decode()


def test_a_route(serving: Project) -> None:
    target = url(serving, "http").replace("{id}", "42")
    assert get(target) == (201, "GET /orders/{id}")


def test_a_function_url(serving: Project) -> None:
    host = url(serving, "url").removeprefix("http://").rstrip("/")
    endpoint = str(serving.status()["endpoint"])
    assert get(endpoint, Host=host) == (201, "$default")


def test_a_queue(serving: Project, queues: Any) -> None:
    target = queues.get_queue_url(QueueName="jobs")["QueueUrl"]
    queues.send_message(QueueUrl=target, MessageBody="ready")
    until(lambda: b"batch ready" in serving.run("logs", "orders").stdout, "the batch")


def test_dead_letters(serving: Project, queues: Any) -> None:
    accepted = serving.run("invoke", "broken", "--type", "event", "-p", '{"a":1}')
    assert accepted.code == 0
    assert "accepted  " in accepted.stderr
    target = queues.get_queue_url(QueueName="failed")["QueueUrl"]
    answer = queues.receive_message(
        QueueUrl=target, WaitTimeSeconds=20, MessageAttributeNames=["All"]
    )
    (message,) = answer["Messages"]
    assert json.loads(message["Body"]) == {"a": 1}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    until(lambda: serving.succeed("queue")["waiting"] == 0, "an empty queue")
