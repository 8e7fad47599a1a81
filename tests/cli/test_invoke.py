"""`invoke` against a scripted daemon: the contract of stdout, stderr and exit codes."""

import json
import signal
import subprocess
from typing import Any

import pytest

from tests.cli.command_line import CommandLine
from tests.client.scripted_daemon import ScriptedDaemon, succeeded

COLD = {"total": 212.3, "launch": 84.1, "init": 61.2, "duration": 3.0, "overhead": 64.0}


def serve(cli: CommandLine, *events: dict[str, Any]) -> ScriptedDaemon:
    return ScriptedDaemon(cli.socket, {"invoke": [*events]})


def test_stdout_is_the_exact_response_and_stderr_one_timing_line(cli: CommandLine) -> None:
    with serve(cli, succeeded(b'{"message": "Hello,\xc2\xa0Ada!"}')) as daemon:
        ran = cli.run("invoke", "hello", "-p", '{"name": "Ada"}')
    assert ran.code == 0
    assert ran.stdout == b'{"message": "Hello,\xc2\xa0Ada!"}'
    assert ran.stderr == "warm  duration 1.2 ms  overhead 0.4 ms\n"
    verb, headers, body = daemon.requests[0]
    assert (verb, headers["x-lambdash-version"]) == ("invoke", "0.1.0")
    assert body == {
        "function": "hello",
        "type": "request-response",
        "cold": False,
        "tail": False,
        "qualifier": None,
        "pull": None,
        "imports": False,
        "client_context": None,
        "cognito_identity": None,
        "payload_base64": "eyJuYW1lIjogIkFkYSJ9",
    }


def test_a_cold_start_is_taken_apart(cli: CommandLine) -> None:
    with serve(cli, succeeded(start="cold", timings_ms=COLD)):
        ran = cli.run("invoke", "hello")
    assert ran.stderr == "cold  total 212 ms = launch 84 + init 61 + duration 3 + other 64\n"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("succeeded", 0),
        ("function_failed", 1),
        ("init_failed", 1),
        ("crashed", 1),
        ("platform_failed", 3),
        ("throttled", 4),
        ("timed_out", 5),
    ],
)
def test_the_exit_code_says_how_it_ended(cli: CommandLine, outcome: str, code: int) -> None:
    with serve(cli, succeeded(outcome=outcome)):
        assert cli.run("invoke", "hello").code == code


def test_a_function_error_is_on_stdout_and_explained_with_tail(cli: CommandLine) -> None:
    document = b'{"errorType": "KeyError", "errorMessage": "\'name\'"}'
    failed = succeeded(
        document, outcome="function_failed", function_error="Unhandled", log_tail="START\nEND\n"
    )
    with serve(cli, failed):
        plain = cli.run("invoke", "hello")
        tailed = cli.run("invoke", "hello", "--tail")
    assert plain.stdout == tailed.stdout == document
    assert plain.stderr == "warm  duration 1.2 ms  overhead 0.4 ms\n"
    assert tailed.stderr == "START\nEND\nfunction failed: KeyError: 'name'\n" + plain.stderr


def test_a_throttled_invocation_says_why(cli: CommandLine) -> None:
    error = {"code": "throttled", "message": "`hello` has 1 of 1 in flight", "hint": "raise it"}
    event = succeeded(b"", outcome="throttled", error=error, timings_ms={}, start=None)
    with serve(cli, event):
        ran = cli.run("invoke", "hello")
        shaped = cli.run("invoke", "hello", "--json")
    assert (ran.code, ran.stdout) == (4, b"")
    assert ran.stderr == "error: `hello` has 1 of 1 in flight (throttled)\nhint: raise it\n"
    assert shaped.code == 4
    assert json.loads(shaped.stdout)["error"] == error


def test_json_is_one_object_with_the_contract_s_members(cli: CommandLine) -> None:
    with serve(cli, succeeded(b'{"a": 1}')):
        document = json.loads(cli.run("invoke", "hello", "--json").stdout)
    assert document == {
        "payload": {"a": 1},
        "outcome": "succeeded",
        "start": "warm",
        "timings_ms": {"total": 1.6, "duration": 1.2, "overhead": 0.4},
        "request_id": "11111111-2222-3333-4444-555555555555",
        "function_error": None,
        "log_tail": None,
        "environment": "hello-1",
        "sandbox": "process:1",
    }


def test_json_carries_a_response_that_is_not_json_as_base64(cli: CommandLine) -> None:
    with serve(cli, succeeded(b"\xff\x00")):
        document = json.loads(cli.run("invoke", "hello", "--json").stdout)
    assert document["payload_base64"] == "/wA="
    assert "payload" not in document


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_an_error_of_the_daemon_keeps_its_exit_code(cli: CommandLine, words: tuple[str]) -> None:
    error = {"code": "function-not-found", "message": "no `helo`", "hint": "did you mean `hello`?"}
    with serve(cli, {"event": "error", "exit_code": 2, "error": error}):
        ran = cli.run("invoke", "helo", *words)
    assert ran.code == 2
    if words:
        assert json.loads(ran.stdout) == {"error": error}
        assert ran.stderr == ""
    else:
        assert ran.stdout == b""
        assert ran.stderr == "error: no `helo` (function-not-found)\nhint: did you mean `hello`?\n"


def test_notices_and_progress_are_plain_lines_on_stderr(cli: CommandLine) -> None:
    events = (
        {"event": "notice", "text": "source changed: deploying hello"},
        {"event": "progress", "task": "hello", "text": "installing", "done": 1, "total": 3},
        {"event": "progress", "task": "hello", "text": "installing", "done": 2, "total": 3},
        {"event": "progress", "task": "hello", "text": "", "finished": True},
        succeeded(),
    )
    with serve(cli, *events):
        ran = cli.run("invoke", "hello")
        quiet = cli.run("invoke", "hello", "-q")
    assert ran.stderr.splitlines() == [
        "source changed: deploying hello",
        "hello: installing",
        "hello: done",
        "warm  duration 1.2 ms  overhead 0.4 ms",
    ]
    assert quiet.stderr == ""
    assert quiet.stdout == b'{"ok":true}'


def test_the_payload_comes_from_a_file_or_standard_input(cli: CommandLine) -> None:
    (cli.folder / "event.json").write_bytes(b" [1]\n")
    with serve(cli, succeeded()) as daemon:
        cli.run("invoke", "hello", "-p", "@event.json")
        cli.run("invoke", "hello", "-p", "-", stdin=b'"stdin"')
    assert [body["payload_base64"] for _, _, body in daemon.requests] == [
        "IFsxXQo=",
        "InN0ZGluIg==",
    ]


def test_a_payload_that_is_not_json_is_refused_with_its_position(cli: CommandLine) -> None:
    ran = cli.run("invoke", "hello", "-p", '{"a": 1,\n "b" 2}')
    assert ran.code == 2
    assert ran.stderr.splitlines()[0] == (
        "error: the payload is not JSON: Expecting ':' delimiter at line 2, column 6 "
        "(payload-not-json)"
    )


def test_control_c_ends_at_once_without_a_traceback(cli: CommandLine) -> None:
    with serve(cli, {"event": "notice", "text": "busy"}, {"event": "hang"}) as daemon:
        running = subprocess.Popen(
            cli.arguments("invoke", "hello"),
            cwd=cli.folder,
            env=cli.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert running.stderr is not None
        assert running.stderr.readline() == b"busy\n"
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=30)
        assert daemon.disconnected.wait(10)
    assert (running.returncode, stdout, stderr) == (130, b"", b"")


def test_a_daemon_that_dies_in_the_middle_is_said_so(cli: CommandLine) -> None:
    with serve(cli, {"event": "notice", "text": "busy"}, {"event": "vanish"}):
        ran = cli.run("invoke", "hello")
    assert ran.code == 3
    assert "(daemon-lost)" in ran.stderr
