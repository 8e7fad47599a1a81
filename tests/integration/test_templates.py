"""The templates that serve HTTP or a queue: what their READMEs say, on each engine."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.integration.project import RUNTIME, Project, until

_README_URL = "http://127.0.0.1:3000"


def begin_with(project: Project, template: str, **replaced: str) -> None:
    """The template's files, with a runtime the suite has the client of."""
    assert project.run("init", template, ".").code == 0
    text = re.sub(r"runtime: python[\d.]+", f"runtime: {RUNTIME}", project.manifest.read_text())
    for name, value in replaced.items():
        text, count = re.subn(rf"(?<=\b{name}: )\S+", value, text)
        assert count == 1
    project.manifest.write_text(text)


def invoke_sample(project: Project, function: str) -> Any:
    """The answer to the template's own event."""
    ran = project.run("invoke", function, "-p", f"@events/{function}.json")
    assert ran.code == 0, ran
    return json.loads(ran.stdout)


def block(project: Project, language: str) -> str:
    """The README's first block in this language."""
    text = (project.folder / "README.md").read_text()
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def curl_lines(project: Project) -> list[Any]:
    """What the README's curl lines answer, line by line."""
    urls = {one["url"] for one in project.succeed("urls")["urls"]}
    base = re.match(r"http://[^/]+", urls.pop())
    assert base is not None
    lines = block(project, "sh").replace(_README_URL, base[0]).splitlines()
    return [json.loads(curl(*shlex.split(line)[1:])) for line in lines]


def curl(*arguments: str) -> bytes:
    return subprocess.run(
        ["curl", "-sS", "--noproxy", "*", *arguments], capture_output=True, timeout=30, check=True
    ).stdout


def test_http_api(project: Project) -> None:
    begin_with(project, "http-api")
    answer = invoke_sample(project, "notes")
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"id": "1", "text": "Buy milk"}
    assert curl_lines(project) == [
        {"id": "1", "text": "Buy milk"},
        {"id": "1", "text": "BUY MILK"},
        {"id": "2", "text": "Call Ada"},
        {"id": "2", "text": "Call Ada"},
    ]


def test_fastapi(project: Project) -> None:
    begin_with(project, "fastapi")
    answer = invoke_sample(project, "api")
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"text": "Buy milk"})
    assert curl_lines(project) == [
        {"text": "Buy milk"},
        {"text": "BUY MILK"},
        {"number": 2},
        {"text": "Call Ada"},
    ]
    base = project.succeed("urls")["urls"][0]["url"].rstrip("/")
    assert b"swagger-ui" in curl(f"{base}/docs")
    assert json.loads(curl(f"{base}/nowhere")) == {"detail": "Not Found"}


def test_fastapi_s_own_test_passes(plain: Project) -> None:
    begin_with(plain, "fastapi")
    uv = str(Path(sys.executable).with_name("uv"))
    python = ("--no-project", "--isolated", "--python", sys.executable)
    requirements = ("--with-requirements", "api/requirements.txt")
    ran = subprocess.run(
        [uv, "run", "-q", *python, *requirements, "python", "-B", "-m", "unittest"],
        cwd=plain.folder,
        env=plain.variables,
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"Ran 0 tests" not in ran.stderr


def test_sqs_worker(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_with(project, "sqs-worker", timeout="1", visibility_timeout="1")
    sample = json.loads((project.folder / "events" / "worker.json").read_text())
    failed = [{"itemIdentifier": sample["Records"][1]["messageId"]}]
    assert invoke_sample(project, "worker") == {"batchItemFailures": failed}

    for name, value in project.succeed("env")["variables"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # this project's, for this test alone
    names: dict[str, Any] = {}
    exec(block(project, "python"), names)
    sqs, jobs = names["sqs"], names["url"]
    empty = '{"kind": "order", "id": "A-2", "quantity": 0}'
    sqs.send_message(QueueUrl=jobs, MessageBody=empty)
    sqs.send_message(QueueUrl=jobs, MessageBody='{"kind": "offer", "id": "B-1"}')
    target = sqs.get_queue_url(QueueName="failed")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=target, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == empty
    sqs.close()

    log = until(lambda: complete_log(project), "the order that went well, and the one that did not")
    assert log.count(b"try 1: ValueError") == 2  # the sample event's too
    assert log.count(b"try 2: ValueError") == 1
    assert b"KeyError" not in log  # the offer never came


def complete_log(project: Project) -> bytes | None:
    log = project.run("logs", "worker").stdout
    return log if b"A-3" in log and b"try 2" in log else None
