"""The main job: a new project answers, stays warm, and answers from new code after an edit."""

import json
import re

import pytest

from tests.integration.project import RUNTIME, Project

_COLD = r"cold  total \d+ ms = (\w+ \d+ \+ )*launch \d+ \+ init \d+ \+ duration \d+ \+ other \d+\n"
# a queue of a millisecond or more is shown: the runtime had not asked for its next event yet
_WARM = r"warm  (queue \d+\.\d ms  )?duration \d+\.\d ms  overhead \d+\.\d ms\n"


def test_a_new_project_answers_warm_from_the_second_call_on(project: Project) -> None:
    written = project.run("init", "python", ".")
    assert written.code == 0
    assert "runtime: python3." in project.manifest.read_text()
    _use_a_runtime_that_needs_no_install(project)

    first = project.run("invoke", "hello", "-p", '{"name":"Ada"}')
    assert (first.code, first.stdout) == (0, b'{"message": "Hello, Ada!", "count": 1}')
    assert re.search(rf"^deployed hello \(new\) in \d+ ms\n{_COLD}\Z", first.stderr, re.MULTILINE)

    second = project.run("invoke", "hello", "-p", "-", stdin=b'{"name":"Bo"}')
    assert (second.code, second.stdout) == (0, b'{"message": "Hello, Bo!", "count": 2}')
    assert re.fullmatch(_WARM, second.stderr)

    third = project.invoke("hello")
    assert third["payload"] == {"message": "Hello, world!", "count": 3}
    assert (third["outcome"], third["start"]) == ("succeeded", "warm")
    (environment,) = project.environments()
    assert environment["id"] == third["environment"]
    assert environment["sandbox"] == third["sandbox"]
    assert (environment["invocations"], environment["state"]) == (3, "idle")
    assert environment["memory_bytes"] > 1024 * 1024

    edited = project.folder / "hello" / "app.py"
    edited.write_text(edited.read_text().replace("{name}!", "{name}?"))
    fourth = project.run("invoke", "hello", "-p", '{"name":"Ada"}')
    assert (fourth.code, fourth.stdout) == (0, b'{"message": "Hello, Ada?", "count": 1}')
    assert re.search(rf"^deployed hello \(code\) in \d+ ms\n{_COLD}\Z", fourth.stderr, re.MULTILINE)


def _use_a_runtime_that_needs_no_install(project: Project) -> None:
    """``init`` writes the newest that can run here; the suite has the client of its own one."""
    text = project.manifest.read_text()
    project.manifest.write_text(re.sub(r"runtime: python[\d.]+", f"runtime: {RUNTIME}", text))


@pytest.fixture
def counted(project: Project) -> Project:
    project.describe({"count": {}})
    source = (
        "import os, tempfile\n"
        "calls = 0\n"
        "def handler(event, context):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    print('call', calls)\n"
        "    if event.get('fail'):\n"
        "        raise ValueError('asked to')\n"
        "    return {'calls': calls, 'memory': context.memory_limit_in_mb,\n"
        "            'user': os.getuid(), 'aws': sorted(k for k in os.environ if 'AWS_' in k)}\n"
    )
    project.write({"count/app.py": source})
    return project


def test_json_says_everything_about_an_invocation(counted: Project) -> None:
    first = counted.invoke("count", {}, "--tail")
    assert first.keys() == {
        *("payload", "outcome", "start", "timings_ms", "request_id", "function_error"),
        *("log_tail", "environment", "sandbox"),
    }
    assert first["start"] == "cold"
    assert first["timings_ms"].keys() >= {"total", "launch", "init", "duration", "overhead"}
    assert first["payload"]["memory"] == "256"
    assert "AWS_LAMBDA_FUNCTION_TIMEOUT" not in first["payload"]["aws"]
    words = [line.split(" ")[0] for line in first["log_tail"].splitlines()]
    assert words == ["START", "call", "END", "REPORT"]

    failed = counted.run("invoke", "count", "-p", '{"fail": 1}')
    assert failed.code == 1
    error = json.loads(failed.stdout)
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "asked to"
    assert re.fullmatch(_WARM, failed.stderr)

    anew = counted.invoke("count", {}, "--cold")
    assert (anew["start"], anew["payload"]["calls"]) == ("cold", 1)
    assert anew["environment"] != first["environment"]

    traced = counted.succeed("trace")
    assert traced["request_id"] == anew["request_id"]
    assert traced["unaccounted_ms"] < 0.05 * traced["total_ms"]
    past = counted.succeed("history")["invocations"]
    assert [entry["outcome"] for entry in past] == ["succeeded", "function_failed", "succeeded"]
    logged = counted.succeed("logs", "count", "--request-id", first["request_id"])["events"]
    assert "call 1" in [line["text"].rstrip() for line in logged]
