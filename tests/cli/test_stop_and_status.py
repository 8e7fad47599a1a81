"""`stop` and `status` against a scripted daemon."""

import json
import subprocess
import sys

from tests.cli.command_line import CommandLine
from tests.client.scripted_daemon import ScriptedDaemon

STATUS = {
    "event": "result",
    "endpoint": "http://127.0.0.1:4566",
    "pid": 4711,
    "version": "0.1.0",
    "engine": "docker",
    "manifest": "/home/ada/shop/lambdash.yaml",
    "uptime_s": 184.2,
    "functions": [
        {
            "name": "hello",
            "runtime": "python3.13",
            "revision": "0123456789abcdef",
            "state": "active",
            "package": "9f86d081884c7d65",
            "environments": 2,
        }
    ],
    "environments": {"total": 2, "busy": 1, "idle": 1, "starting": 0},
}


def test_stop_without_a_daemon_is_no_error(cli: CommandLine) -> None:
    ran = cli.run("stop")
    assert (ran.code, ran.stdout, ran.stderr) == (0, b"no daemon was running\n", "")
    assert json.loads(cli.run("stop", "--json").stdout) == {"running": False, "stopped": None}


def test_stop_says_what_it_removed_once_the_process_is_gone(cli: CommandLine) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    counts = {"containers": 2, "networks": 1, "processes": 0}

    def end(_: object) -> list[dict[str, object]]:
        process.communicate(b"\n")
        return [{"event": "result", "stopped": counts}]

    with ScriptedDaemon(cli.socket, {"stop": end}, pid=process.pid) as daemon:
        ran = cli.run("stop")
    assert (ran.code, ran.text) == (0, "stopped: removed 2 containers, 1 network\n")
    assert "x-lambdash-version" not in daemon.requests[-1][1]


def test_status_starts_nothing(cli: CommandLine) -> None:
    ran = cli.run("status", "--json")
    assert ran.code == 0
    document = json.loads(ran.stdout)
    assert (document["running"], document["endpoint"], document["functions"]) == (False, None, [])


def test_status_shows_the_daemon_and_its_functions(cli: CommandLine) -> None:
    with ScriptedDaemon(cli.socket, {"status": [STATUS]}):
        shaped = json.loads(cli.run("status", "--json").stdout)
        text = cli.run("status").text
    assert shaped == {"running": True, **{k: v for k, v in STATUS.items() if k != "event"}}
    assert text.splitlines()[0] == "endpoint      http://127.0.0.1:4566"
    assert "hello  active  2" in text
