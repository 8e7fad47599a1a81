"""Every other command: what it asks the daemon, and its text pinned by golden files."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli import golden
from tests.cli.command_line import CommandLine, Ran
from tests.client.scripted_daemon import Event, ScriptedDaemon

REQUEST_ID = "f54b225b-f2a9-4819-b8b1-54d391a3c00d"
RESULTS: dict[str, Event] = {
    "deploy": {
        "plan": [
            {"function": "hello", "action": "update", "why": ["code", "timeout 3 -> 10"]},
            {"function": "resize", "action": "create", "why": []},
            {"function": "old", "action": "delete", "why": ["not in the manifest"]},
            {"function": "mail", "action": "unchanged", "why": []},
        ],
        "functions": [
            {
                "function": "hello",
                "revision": "bbee074c9b1114ca",
                "package": "f3eec258981142fc7b1b",
                "size_bytes": 1_234,
                "build_ms": 48.2,
            },
            {
                "function": "resize",
                "revision": "0123456789abcdef",
                "package": "sha256:9f86d081884c7d659a2f",
                "size_bytes": 61_400_000,
                "build_ms": 13_651.0,
            },
        ],
        "endpoint": "http://127.0.0.1:4566",
    },
    "status": {
        "endpoint": "http://127.0.0.1:4566",
        "pid": 4711,
        "version": "0.1.0",
        "engine": "docker",
        "manifest": "/home/ada/shop/lambdash.yaml",
        "uptime_s": 7_384.0,
        "functions": [
            {
                "name": "hello",
                "runtime": "python3.13",
                "revision": "bbee074c9b1114ca",
                "state": "Active",
                "package": "f3eec258981142fc7b1b",
                "image": None,
                "environments": 2,
            },
            {
                "name": "resize",
                "runtime": None,
                "revision": "0123456789abcdef",
                "state": "Active",
                "package": "sha256:9f86d081884c7d659a2f",
                "image": "lambdash/build-resize:9f86d081884c",
                "environments": 0,
            },
        ],
        "environments": {"total": 3, "busy": 1, "idle": 1, "starting": 1},
    },
    "ps": {
        "environments": [
            {
                "id": "c526c583b0d9",
                "function": "hello",
                "revision": "bbee074c9b1114ca",
                "state": "idle",
                "sandbox": "9f86d081884c7d659a2feaa0c55ad015",
                "age_s": 200.0,
                "invocations": 12,
                "memory_bytes": 38_400_000,
            },
            {
                "id": "e8e0aa9bb9e1",
                "function": "hello",
                "revision": "bbee074c9b1114ca",
                "state": "initializing",
                "sandbox": "process:11597",
                "age_s": 0.3,
                "invocations": 0,
                "memory_bytes": None,
            },
        ]
    },
    "history": {
        "invocations": [
            {
                "request_id": REQUEST_ID,
                "at": "2026-11-23T14:31:30.120+00:00",
                "function": "hello",
                "outcome": "function_failed",
                "start": "cold",
                "total_ms": 1_840.2,
                "duration_ms": 3.1,
                "environment": "c526c583b0d9",
            },
            {
                "request_id": "7049d6e5-18dc-4518-9ba1-b91c86967666",
                "at": "2026-11-23T14:31:29.000+00:00",
                "function": "hello",
                "outcome": "succeeded",
                "start": "warm",
                "total_ms": 1.6,
                "duration_ms": 1.2,
                "environment": "c526c583b0d9",
            },
        ]
    },
    "trace": {
        "request_id": REQUEST_ID,
        "function": "hello",
        "at": "2026-11-23T14:31:30.120+00:00",
        "outcome": "succeeded",
        "start": "cold",
        "total_ms": 212.3,
        "phases": [
            {"name": "resolve", "start_ms": 0.0, "length_ms": 7.5},
            {"name": "create", "start_ms": 7.5, "length_ms": 76.6},
            {"name": "start", "start_ms": 84.1, "length_ms": 0.0},
            {"name": "init", "start_ms": 84.1, "length_ms": 118.2},
            {"name": "duration", "start_ms": 204.3, "length_ms": 8.0},
        ],
        "unaccounted_ms": 2.0,
        "imports": [
            {"module": "boto3", "self_us": 1_200, "cumulative_us": 61_000},
            {"module": "botocore", "self_us": 40_500, "cumulative_us": 59_800},
        ],
    },
    "image_build": {
        "reference": "lambdash/python:3.13-host",
        "digest": "sha256:eab9b2e3963a",
        "seconds": 6.4,
    },
}
BODIES: list[tuple[list[str], str, Event]] = [
    (["deploy"], "deploy", {"functions": [], "dry_run": False, "pull": None}),
    (
        ["deploy", "hello", "mail", "--dry-run", "--pull", "never"],
        "deploy",
        {"functions": ["hello", "mail"], "dry_run": True, "pull": "never"},
    ),
    (["status"], "status", {}),
    (["start"], "status", {}),
    (["wait", "--timeout", "5"], "status", {}),
    (["ps"], "ps", {}),
    (["history"], "history", {"function": None, "limit": 20, "outcome": None}),
    (
        ["history", "hello", "--limit", "3", "--outcome", "timed_out"],
        "history",
        {"function": "hello", "limit": 3, "outcome": "timed_out"},
    ),
    (["trace"], "trace", {"request_id": "last", "imports": False}),
    (["trace", REQUEST_ID, "--imports"], "trace", {"request_id": REQUEST_ID, "imports": True}),
    (
        ["image", "build", "python3.13", "--from-host"],
        "image_build",
        {"runtime": "python3.13", "architecture": None, "from_host": True},
    ),
]


@pytest.mark.parametrize(("words", "verb", "body"), BODIES, ids=lambda value: str(value)[:40])
def test_what_is_asked_and_shown(
    cli: CommandLine, inside: Callable[..., Ran], words: list[str], verb: str, body: Event
) -> None:
    result = RESULTS[verb]
    with ScriptedDaemon(cli.socket, {verb: [{"event": "result", **result}]}) as daemon:
        text, shaped = inside(*words), inside(*words, "--json")
    asked = [(name, sent) for name, _, sent in daemon.requests if name != "health"]
    assert asked == [(verb, body)] * 2
    assert (text.code, text.stderr, shaped.code, shaped.stderr) == (0, "", 0, "")
    running = {"running": True} if verb == "status" else {}
    assert json.loads(shaped.stdout) == {**running, **result}
    golden.check(f"output/{'-'.join(words).replace(REQUEST_ID, 'ID')}", text.text)


LOGS: list[Event] = [
    {
        "event": "log",
        "at": "2026-11-23T14:31:30.693+00:00",
        "function": "hello",
        "request_id": REQUEST_ID,
        "stream": "stdout",
        "text": "greeting Ada\n",
    },
    {"event": "result"},
]


def test_logs_are_data(cli: CommandLine) -> None:
    words = ("logs", "hello", "--since", "1.5m", "--limit", "5", "--request-id", REQUEST_ID)
    with ScriptedDaemon(cli.socket, {"logs": LOGS}) as daemon:
        text, shaped = cli.run(*words), cli.run(*words, "--json")
        followed = cli.run("logs", "-f", "--json")
    assert text.text == "16:31:30.693+02:00  hello  greeting Ada\n"
    assert json.loads(shaped.stdout) == {"events": LOGS[:1]}
    assert [json.loads(line) for line in followed.text.splitlines()] == LOGS[:1]
    bodies = [body for _, _, body in daemon.requests]
    expected: dict[str, Any] = {"function": "hello", "follow": False, "request_id": REQUEST_ID}
    assert bodies[0] == {**expected, "since_s": 90.0, "limit": 5, "filter": None}
    assert bodies[2]["follow"] is True


@pytest.mark.parametrize(("span", "seconds"), [("90", 90), ("2h", 7200), ("1d", 86400)])
def test_spans_of_time(cli: CommandLine, span: str, seconds: float) -> None:
    with ScriptedDaemon(cli.socket, {"logs": LOGS}) as daemon:
        assert cli.run("logs", "--since", span, "--filter", "?a ?b").code == 0
    (asked,) = [body for _, _, body in daemon.requests]
    assert (asked["since_s"], asked["filter"]) == (seconds, "?a ?b")
    refused = cli.run("logs", "--since", "yesterday")
    assert refused.code == 2
    assert "'yesterday' is not a time span" in refused.stderr


def test_dev_says_what_became_of_each_edit(cli: CommandLine) -> None:
    error = {"code": "package-invalid", "message": "app.py does not parse", "hint": "line 3"}
    events: list[Event] = [
        {"event": "notice", "text": "watching hello"},
        {"event": "reload", "function": "hello", "ready_ms": 180.3},
        {"event": "reload_failed", "function": "hello", "error": error},
        *LOGS,
    ]
    with ScriptedDaemon(cli.socket, {"dev": events}) as daemon:
        ran = cli.run("dev", "hello")
    assert daemon.requests[0][2] == {"functions": ["hello"], "pull": None}
    assert ran.stderr == "watching hello\n"
    golden.check("output/dev", ran.text)


def test_ps_starts_nothing(cli: CommandLine) -> None:
    assert json.loads(cli.run("ps", "--json").stdout) == {"environments": []}


@pytest.mark.parametrize(
    ("words", "shape"), [(["history"], {"invocations": []}), (["logs"], {"events": []})]
)
def test_no_daemon_is_started_where_there_is_nothing_to_ask(
    cli: CommandLine, words: list[str], shape: dict[str, Any]
) -> None:
    ran = cli.run(*words)
    said = "no daemon is running, and nothing was invoked yet\n"
    assert (ran.code, ran.stdout, ran.stderr) == (0, b"", said)
    assert json.loads(cli.run(*words, "--json").stdout) == shape
    assert not (cli.folder / ".lambdash").exists()


def test_who_follows_is_told_of_the_end(cli: CommandLine) -> None:
    error = {"code": "daemon-stopped", "message": "the daemon was stopped", "hint": "again"}
    script: list[Event] = [*LOGS[:1], {"event": "error", "exit_code": 3, "error": error}]
    with ScriptedDaemon(cli.socket, {"logs": script, "history": script[1:]}):
        followed, asked = cli.run("logs", "-f"), cli.run("history")
    assert (followed.code, followed.stderr) == (0, "the daemon was stopped\n")
    assert asked.code == 3
    assert "(daemon-stopped)" in asked.stderr


def test_dev_tells_programs_that_it_is_ready(cli: CommandLine) -> None:
    ready = {"event": "ready", "functions": ["hello"], "endpoint": "http://127.0.0.1:4566"}
    with ScriptedDaemon(cli.socket, {"dev": [ready, {"event": "result"}]}):
        shaped, text = cli.run("dev", "--json"), cli.run("dev")
    assert json.loads(shaped.stdout) == ready
    assert text.stdout == b""


def test_wait_gives_up(cli: CommandLine) -> None:
    ran = cli.run("wait", "--timeout", "0")
    assert ran.code == 3
    assert "(daemon-not-serving)" in ran.stderr


def test_start_refuses_another_port_than_the_running_daemon_s(cli: CommandLine) -> None:
    result = {"event": "result", **RESULTS["status"]}
    with ScriptedDaemon(cli.socket, {"status": [result]}):
        ran = cli.run("start", "--port", "4600", "--json")
    assert ran.code == 2
    assert json.loads(ran.stdout)["error"]["code"] == "port-differs"


def test_clean_removes_the_project_s_state_and_nothing_else(cli: CommandLine) -> None:
    state = cli.folder / ".lambdash"
    state.mkdir()
    (state / "journal.sqlite").touch()
    ran = cli.run("clean", "--json")
    assert json.loads(ran.stdout) == {"removed": [str(state)], "stopped": None}
    assert [path.name for path in cli.folder.iterdir()] == ["lambdash.yaml"]
    assert cli.run("clean").text == "nothing to remove\n"


def test_prune_of_an_empty_store(cli: CommandLine) -> None:
    document = json.loads(cli.run("prune", "--json", "--unused-for", "7").stdout)
    assert (document["freed_bytes"], document["size_bytes"], document["volumes"]) == (0, 0, 0)


def test_validate_and_schema_need_no_daemon(cli: CommandLine, inside: Callable[..., Ran]) -> None:
    (cli.folder / "lambdash.yaml").write_text(
        "version: 1\nfunctions:\n  hello: {runtime: python3.13, code: ., handler: app.handler}\n"
    )
    document = json.loads(inside("validate", "--json").stdout)
    assert (document["valid"], document["functions"]) == (True, ["hello"])
    assert inside("validate").text.endswith("lambdash.yaml: ok, 1 function\n")
    assert json.loads(inside("schema").stdout) == json.loads(inside("schema", "--json").stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_click_s(
    inside: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    ran = inside("completion")
    assert ran.code == 0
    assert "_LAMBDASH_COMPLETE" in ran.text
    assert json.loads(inside("completion", shell, "--json").stdout)["shell"] == shell


def test_doctor_gives_each_check_a_line(cli: CommandLine) -> None:
    document = json.loads(cli.run("doctor", "--json").stdout)
    states = {check["name"]: check["state"] for check in document["checks"]}
    assert states["python"] == states["runtime directory"] == "ok"
    assert set(states.values()) <= {"ok", "warn", "fail"}
    assert all(check["hint"] for check in document["checks"] if check["state"] != "ok")
    assert document["ok"] == ("fail" not in states.values())
