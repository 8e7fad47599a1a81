"""The log of an invocation, byte for byte but for its figures, as logs recorded from AWS have it.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import json
import re
from typing import Any

import pytest

from lambdash import limits
from tests.conformance.conftest import NODE_RUNTIME, Cloud
from tests.integration.project import RUNTIME

MS = r"\d+\.\d\d ms"
MEMORY = r"Memory Size: 192 MB\tMax Memory Used: (\d+) MB"


def _events(cloud: Cloud, function: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.project.succeed("logs", function, *words)["events"]
    return found


def test_a_warm_tail(cloud: Cloud) -> None:
    """Recorded: START, what was written, END, REPORT; the last line ends with a tab"""
    cloud.invoke("py", {"do": "return"})
    answer = cloud.invoke("py", {"do": "print", "text": "hello"})
    start, written, end, report, rest = answer.lines
    assert (start, written, end) == (
        "START RequestId: ID Version: $LATEST",
        "hello",
        "END RequestId: ID",
    )
    found = re.fullmatch(
        rf"REPORT RequestId: ID\tDuration: ({MS})\tBilled Duration: (\d+) ms\t{MEMORY}\t", report
    )
    assert found is not None
    assert int(found[2]) == max(1, -(-float(found[1][:-3]) // 1))
    assert 5 <= int(found[3]) <= 192, "measured"
    assert rest == ""


def test_a_cold_report(cloud: Cloud) -> None:
    """https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"""
    cloud.invoke("py", {"do": "exit", "code": 1})
    answer = cloud.invoke("py", {"do": "return"})
    found = re.fullmatch(
        rf"REPORT RequestId: ID\tDuration: ({MS})\tBilled Duration: (\d+) ms\t{MEMORY}\t"
        rf"Init Duration: ({MS})\t",
        answer.lines[-2],
    )
    assert found is not None
    whole_ms = float(found[1][:-3]) + float(found[4][:-3])
    assert abs(int(found[2]) - whole_ms) <= 1.01, "billed with the init phase"


def test_a_timeout(cloud: Cloud) -> None:
    """Recorded: `Duration` and `Billed Duration` are the timeout, with `Status: timeout`"""
    cloud.invoke("slow", {"do": "return"})
    answer = cloud.invoke("slow", {"do": "hang"})
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    expected = [
        r"START RequestId: ID Version: \$LATEST",
        "going to sleep",
        rf"{moment} ID Task timed out after 1\.00 seconds",
        "",
        "END RequestId: ID",
        rf"REPORT RequestId: ID\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t{MEMORY}\t"
        r"Status: timeout",
        "",
    ]
    assert len(answer.lines) == len(expected)
    for line, pattern in zip(answer.lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_an_exit(cloud: Cloud) -> None:
    """Recorded: why, then the type of the error, and both in the report's own words"""
    cloud.invoke("py", {"do": "return"})
    *_, why, error_type, end, report, _ = cloud.invoke("py", {"do": "exit", "code": 3}).lines
    assert why == "RequestId: ID Error: Runtime exited with error: exit status 3"
    assert (error_type, end) == ("Runtime.ExitError", "END RequestId: ID")
    assert report.endswith(" MB\tStatus: error\tError Type: Runtime.ExitError")


def test_a_failed_init(cloud: Cloud) -> None:
    """Recorded: `INIT_REPORT` with `Phase: init` and the type of the error"""
    answer = cloud.invoke("bad-import", {})
    (report,) = [line for line in answer.lines if line.startswith("INIT_REPORT")]
    assert re.fullmatch(
        rf"INIT_REPORT Init Duration: {MS}\tPhase: init\tStatus: error\t"
        r"Error Type: Runtime\.ImportModuleError",
        report,
    )


def test_init_start_and_the_stream(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html: the line, and its parts"""
    answer = cloud.invoke("py", {"do": "context"})
    starts = [event["text"] for event in _events(cloud, "py", "--filter", "INIT_START")]
    name, version = RUNTIME[:6], RUNTIME[6:]
    pattern = (
        rf"INIT_START Runtime Version: {name}:{re.escape(version)}\.v\d+\t"
        r"Runtime Version ARN: arn:aws:lambda:eu-west-1::runtime:[0-9a-f]{64}"
    )
    assert starts
    assert all(re.fullmatch(pattern, start) for start in starts)
    assert answer.payload["group"] == "/aws/lambda/py"
    stream = answer.payload["stream"]
    assert re.fullmatch(r"20\d\d/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)


def test_the_log_is_the_tail(cloud: Cloud) -> None:
    """The same lines, each of its invocation, in the same order"""
    answer = cloud.invoke("py", {"do": "print", "text": "one\ntwo"})
    events = _events(cloud, "py", "--request-id", answer.request_id)
    texts = [event["text"].replace(answer.request_id, "ID") for event in events]
    assert texts[:-1] == answer.lines[:-2]
    fields = re.compile(r"[\d.]+ (?=ms|MB)")
    assert fields.sub("N ", texts[-1]) == fields.sub("N ", answer.lines[-2])
    streams = ["platform", "stdout", "stdout", "platform", "platform"]
    assert [event["stream"] for event in events] == streams


def test_json(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""
    answer = cloud.invoke("json", {"do": "variables"})
    assert answer.payload["variables"]["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert answer.payload["variables"]["AWS_LAMBDA_LOG_LEVEL"] == "INFO"
    records = [json.loads(line) for line in answer.lines[:-1]]
    assert [record["type"] for record in records] == [
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert all(re.fullmatch(moment, record["time"]) for record in records)
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:json"
    assert records[0]["record"] == {"requestId": "ID", "functionArn": arn, "version": "$LATEST"}
    report = records[2]["record"]
    assert list(report) == ["requestId", "metrics", "status"]
    assert list(report["metrics"])[:4] == [
        "durationMs",
        "billedDurationMs",
        "memorySizeMB",
        "maxMemoryUsedMB",
    ]


def test_json_of_the_python_client(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html: logging is JSON, print is
    not; an error is an object"""
    answer = cloud.invoke("json", {"do": "print", "text": "plain"})
    assert answer.lines[1] == "plain"
    failed = cloud.invoke("json", {"do": "raise"})
    (error,) = [line for line in failed.lines if '"errorType"' in line and "platform" not in line]
    document = json.loads(error)
    assert (document["errorType"], document["requestId"]) == ("KeyError", "ID")


def test_json_of_the_node_client(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html"""
    if NODE_RUNTIME is None:
        pytest.skip("this machine has no Node that AWS Lambda offers")
    answer = cloud.invoke("node-json", {})
    (line,) = [json.loads(line) for line in answer.lines[:-1] if "platform." not in line]
    assert list(line) == ["timestamp", "level", "requestId", "message"]
    assert (line["level"], line["requestId"], line["message"]) == ("INFO", "ID", "seen")


def test_a_flood_is_bounded_and_said(cloud: Cloud) -> None:
    """Ours, for a machine that is not AWS's"""
    size = limits.LOG_KEPT_PER_INVOCATION_MAX_BYTES
    answer = cloud.invoke("py", {"do": "print", "text": ("x" * 999 + "\n") * (size // 500)})
    events = _events(cloud, "py", "--request-id", answer.request_id, "--limit", "5000")
    said = [event["text"] for event in events if event["stream"] == "platform"]
    assert any(re.fullmatch(r"lambdash: \d+ more bytes of output were not kept", t) for t in said)
    written = sum(len(event["text"]) for event in events if event["stream"] == "stdout")
    assert written <= size
