"""The daemon as scripts and CI use it: start, wait, status, stop, crash, clean, idle."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.integration import leftovers, shell
from tests.integration.endpoint import invoke
from tests.integration.project import COMMAND_TIMEOUT_S, Project, until


@pytest.fixture
def simple(project: Project) -> Project:
    shell.echo(project, "simple")
    return project


def test_the_shape_of_a_ci_job(simple: Project) -> None:
    idle = simple.status()
    assert (idle["running"], idle["endpoint"]) == (False, None)
    early = simple.run("wait", "--timeout", "0.2", "--json")
    assert (early.code, early.error["code"]) == (3, "daemon-not-serving")

    started = simple.run("start")
    assert started.code == 0
    line = r"serving at http://127\.0\.0\.1:\d+ \(process \d+, \w+ engine\)\n"
    assert re.fullmatch(line, started.stdout.decode())
    assert simple.run("start").stdout == started.stdout, "it runs already"
    assert simple.run("wait", "--timeout", "20").code == 0

    status = simple.status()
    assert (status["running"], status["engine"]) == (True, simple.engine)
    assert status["functions"][0]["state"] == "NotDeployed"
    assert simple.succeed("deploy")["plan"][0]["action"] == "create"
    assert invoke(status["endpoint"], "simple", {"n": 1}).document == {"n": 1}
    assert simple.status()["functions"][0]["state"] == "Active"

    stopped = simple.succeed("stop")
    assert stopped["stopped"]["environments"] == 1
    assert leftovers.of(simple, docker_too=simple.engine == "docker") == []
    again = simple.run("stop")
    assert (again.code, again.stdout) == (0, b"no daemon was running\n")

    assert simple.invoke("simple", {"n": 2})["payload"] == {"n": 2}
    assert simple.run("clean").code == 0
    assert not (simple.folder / ".lambdash").exists()
    assert [*simple.runtime_dir.rglob("*.*")] == []
    assert (simple.folder / "simple" / "bootstrap").exists()


def test_a_killed_daemon_is_replaced_and_its_leftovers_removed(simple: Project) -> None:
    first = simple.invoke("simple", {"n": 1})
    pid = simple.status()["pid"]
    before = leftovers.processes(simple) - {pid}
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in leftovers.processes(simple), "the daemon is dead")
    assert simple.socket.is_socket(), "it left its socket"
    gone = simple.run("status", "--json")
    assert gone.document["running"] is False

    second = simple.invoke("simple", {"n": 2})
    assert (second["payload"], second["start"]) == ({"n": 2}, "cold")
    assert second["sandbox"] != first["sandbox"]
    assert not before & leftovers.processes(simple)
    if simple.engine == "docker":
        named = " ".join(leftovers.in_engine(simple.id))
        assert first["sandbox"][:12] not in named
        assert second["sandbox"][:12] in named
    outcomes = [entry["outcome"] for entry in simple.succeed("history")["invocations"]]
    assert outcomes[0] == "succeeded"


@pytest.fixture
def quick(plain: Project) -> Project:
    shell.echo(plain, "quick")
    return plain


def test_two_first_commands_start_one_daemon(quick: Project) -> None:
    both = [quick.popen("invoke", "quick", "-p", f'{{"n": {n}}}', "--json") for n in (1, 2)]
    answers = [process.communicate(timeout=COMMAND_TIMEOUT_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert b'"payload": {"n": 1}' in answers[0][0]
    assert b'"payload": {"n": 2}' in answers[1][0]
    daemons = [pid for pid in leftovers.processes(quick) if _is_daemon(pid)]
    assert daemons == [quick.status()["pid"]]


def _is_daemon(pid: int) -> bool:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return b"lambdash.daemon" in file.read()


def test_an_idle_daemon_ends_and_leaves_nothing(quick: Project) -> None:
    manifest = ["--manifest", str(quick.manifest)]
    argv = [sys.executable, "-m", "lambdash.daemon", *manifest, "--idle-timeout", "0.5"]
    # nothing slow between its start and the invocation: it counts as idle from the start on
    reading, writing = os.pipe()
    with subprocess.Popen(
        [*argv, "--ready-fd", str(writing)], env=quick.variables, pass_fds=(writing,)
    ) as daemon:
        os.close(writing)
        try:
            with os.fdopen(reading, "rb") as ready:
                assert ready.readline().endswith(b"\n")
            answer = quick.ask("invoke", function="quick", payload_base64="e30=")
            assert answer["outcome"] == "succeeded"
            assert daemon.wait(20) == 0
        finally:
            daemon.kill()
    assert leftovers.of(quick, docker_too=False) == []


def test_another_engine_or_setting_restarts_the_daemon_with_a_line(quick: Project) -> None:
    pid = quick.succeed("start") and quick.status()["pid"]
    quick.write({"env.json": '{"quick": {"GIVEN": "b"}}'})
    ran = quick.run("invoke", "quick", "--env-vars", "env.json")
    assert ran.code == 0
    assert "other --env-vars" in ran.stderr
    assert quick.status()["pid"] != pid
