"""A layer, a queue and a function made by a boto3 script, over the real daemon, on both engines."""

import io
import json
import zipfile
from typing import Any

import boto3
from botocore.config import Config

from tests.integration.project import RUNTIME, Project, until

_CODE = """
import greeting

def handler(event, context):
    if "Records" not in event:
        return greeting.WORD
    failed = [one for one in event["Records"] if "bad" in one["body"]]
    print("got", [one["body"] for one in event["Records"]])
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in failed]}
"""


def _zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/") + ".py"), text)
    return buffer.getvalue()


def _client(project: Project, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=project.status()["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def _make(aws: Any, queue_arn: str) -> str:
    """The function with its layer, and the mapping; its UUID."""
    layer = aws.publish_layer_version(
        LayerName="greeting", Content={"ZipFile": _zipped(python__greeting="WORD = 'hello'")}
    )
    aws.create_function(
        FunctionName="worker",
        Runtime=RUNTIME,
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/worker",
        Code={"ZipFile": _zipped(app=_CODE)},
        Layers=[layer["LayerVersionArn"]],
        Timeout=20,
    )
    aws.get_waiter("function_active_v2").wait(
        FunctionName="worker", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    made = aws.create_event_source_mapping(
        FunctionName="worker",
        EventSourceArn=queue_arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]},
    )
    return str(made["UUID"])


def test_a_worker_with_a_layer_and_a_queue(project: Project) -> None:
    project.describe({"shown": {}})
    project.write({"shown/app.py": _CODE})
    project.succeed("start")
    aws, sqs = _client(project, "lambda"), _client(project, "sqs")
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    mapping = _make(aws, "arn:aws:sqs:us-east-1:000000000000:jobs")
    assert json.load(aws.invoke(FunctionName="worker")["Payload"]) == "hello"
    _work(aws, sqs, url, mapping, "first")
    project.succeed("stop")
    project.succeed("start")
    aws, sqs = _client(project, "lambda"), _client(project, "sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    assert json.load(aws.invoke(FunctionName="worker")["Payload"]) == "hello"
    _work(aws, sqs, url, mapping, "second")
    aws.delete_event_source_mapping(UUID=mapping)
    until(lambda: not aws.list_event_source_mappings()["EventSourceMappings"], "it is deleted")


def _work(aws: Any, sqs: Any, url: str, mapping: str, mark: str) -> None:
    """What matches is handled and deleted, what does not is deleted unseen."""

    def state() -> bool:
        return bool(aws.get_event_source_mapping(UUID=mapping)["State"] == "Enabled")

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    until(state, "the mapping is enabled")
    for body in ({"kind": "order", "mark": mark}, {"kind": "other"}):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
    until(lambda: left() == 0, "the messages are gone")
    assert aws.get_event_source_mapping(UUID=mapping)["LastProcessingResult"] == "OK"
