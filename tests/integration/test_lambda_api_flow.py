"""A deploy script in boto3 as it stands, over the real daemon, before and after a restart."""

import io
import json
import urllib.request
import zipfile
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.integration.project import RUNTIME, Project

_CODE = """
import os

def handler(event, context):
    return {
        "mark": "%s",
        "event": event,
        "version": context.function_version,
        "variable": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        "arn": context.invoked_function_arn,
        "stream": context.log_stream_name,
        "STAGE": os.environ.get("STAGE"),
    }
"""
_ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders"


def zipped(mark: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), _CODE % mark)
    return buffer.getvalue()


class Aws:
    """The client, and the calls that the script repeats."""

    def __init__(self, project: Project) -> None:
        self.client = boto3.client(
            "lambda",
            endpoint_url=project.status()["endpoint"],
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def invoke(self, name: str, **options: Any) -> dict[str, Any]:
        answer = self.client.invoke(FunctionName=name, Payload=b'{"n": 1}', **options)
        assert "FunctionError" not in answer, answer["Payload"].read()
        document: dict[str, Any] = json.load(answer["Payload"])
        assert answer["ExecutedVersion"] == document["version"] == document["variable"]
        assert f"[{document['version']}]" in document["stream"]
        return document

    def ready(self, kind: str) -> None:
        waiter = self.client.get_waiter(kind)
        waiter.wait(FunctionName="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


@pytest.fixture
def served(project: Project) -> Project:
    project.describe({"shown": {}})
    project.write({"shown/app.py": _CODE % "manifest"})
    project.succeed("deploy")
    return project


def test_a_deploy_script(served: Project) -> None:
    aws = Aws(served)
    make(aws)
    shift(aws)
    check(served, aws)
    served.succeed("stop")
    served.succeed("start")
    again = Aws(served)
    assert again.invoke("orders:1")["mark"] == "one"
    check(served, again)
    again.client.delete_function(FunctionName="orders")
    names = [one["FunctionName"] for one in again.client.list_functions()["Functions"]]
    assert names == ["shown"]


def make(aws: Aws) -> None:
    made = aws.client.create_function(
        FunctionName="orders",
        Runtime=RUNTIME,
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/orders",
        Code={"ZipFile": zipped("one")},
        Environment={"Variables": {"STAGE": "dev"}},
        Timeout=20,
    )
    assert made["State"] == "Pending"
    aws.ready("function_active_v2")
    answer = aws.invoke("orders")
    assert (answer["mark"], answer["STAGE"], answer["arn"]) == ("one", "dev", _ARN)
    location = aws.client.get_function(FunctionName="orders")["Code"]["Location"]
    with urllib.request.urlopen(location) as download:
        assert download.read() == zipped("one")


def shift(aws: Aws) -> None:
    """Version 1 with the first code, 2 with the second; an alias that moves."""
    client = aws.client
    assert client.publish_version(FunctionName="orders")["Version"] == "1"
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="orders", ZipFile=zipped("two"))
    aws.ready("function_updated_v2")
    client.update_function_configuration(
        FunctionName="orders", Environment={"Variables": {"STAGE": "prod"}}
    )
    aws.ready("function_updated_v2")
    assert client.publish_version(FunctionName="orders")["Version"] == "2"
    live = aws.invoke("orders", Qualifier="live")
    assert (live["mark"], live["STAGE"], live["arn"]) == ("one", "dev", f"{_ARN}:live")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    client.update_alias(FunctionName="orders", Name="live", RoutingConfig=weights)
    marks = {aws.invoke("orders:live")["mark"] for _ in range(40)}
    assert marks == {"one", "two"}
    none: dict[str, Any] = {"AdditionalVersionWeights": {}}
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="2", RoutingConfig=none)


def check(project: Project, aws: Aws) -> None:
    """The same by the API and by the command line, which never removes what the API made."""
    live = aws.invoke(f"{_ARN}:live")
    assert (live["mark"], live["version"], live["STAGE"]) == ("two", "2", "prod")
    assert aws.invoke("shown")["mark"] == "manifest"
    assert project.invoke("orders")["payload"]["mark"] == "two"
    qualified = project.invoke("orders", None, "--qualifier", "1")["payload"]
    assert (qualified["mark"], qualified["version"]) == ("one", "1")
    plan = project.succeed("deploy")["plan"]
    assert {"function": "orders", "action": "unchanged", "why": ["made through the API"]} in plan
    assert aws.invoke("orders")["mark"] == "two"
