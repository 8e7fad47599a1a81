"""One exit out of two reports."""

import asyncio
import signal

from lambdash.engines.docker.exits import ExitReport
from lambdash.engines.protocol import SandboxExit
from tests.engines.contract import ScriptedDaemon

KILLED = SandboxExit(signal=signal.SIGKILL, max_memory_bytes=5)


async def test_the_launchers_word_is_passed_on_at_once() -> None:
    daemon = ScriptedDaemon()
    ExitReport(daemon).exited(SandboxExit(exit_code=3))
    assert daemon.exits == [SandboxExit(exit_code=3)]


async def test_a_kill_waits_for_the_engines_verdict() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.exited(KILLED)
    assert daemon.exits == []
    report.out_of_memory()
    expected = SandboxExit(signal=signal.SIGKILL, max_memory_bytes=5, out_of_memory=True)
    assert daemon.exits == [expected]
    report.died(137)
    assert daemon.exits == [expected]


async def test_a_verdict_that_came_first_counts() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.out_of_memory()
    report.exited(KILLED)
    assert daemon.exits[0].out_of_memory


async def test_a_child_killed_for_its_memory_explains_no_exit() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.out_of_memory()
    report.exited(SandboxExit(exit_code=1))
    assert daemon.exits == [SandboxExit(exit_code=1)]


async def test_without_a_verdict_a_kill_is_a_kill() -> None:
    daemon = ScriptedDaemon()
    ExitReport(daemon).exited(KILLED)
    assert await daemon.exit() == KILLED


async def test_a_death_of_the_container_completes_what_is_known() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.exited(SandboxExit(sandbox_lost=True))
    report.died(137)
    assert daemon.exits == [SandboxExit(signal=9, sandbox_lost=True)]
    assert report.container_died.is_set()


async def test_a_death_that_only_the_engine_saw() -> None:
    daemon = ScriptedDaemon()
    ExitReport(daemon).died(137)
    assert daemon.exits == [SandboxExit(signal=9, sandbox_lost=True)]


async def test_what_we_ended_ourselves_is_not_told() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.exited(KILLED)
    report.silence()
    report.died(137)
    assert daemon.exits == []


async def test_each_life_has_its_own_exit() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    for code in (1, 2):
        report.exited(SandboxExit(exit_code=code))
        report.exited(SandboxExit(exit_code=99))
        report.renew()
    assert [each.exit_code for each in daemon.exits] == [1, 2]


async def test_the_rest_is_passed_on() -> None:
    daemon = ScriptedDaemon()
    report = ExitReport(daemon)
    report.output("stdout", b"x")
    report.mark_once("started", 1.0)
    report.mark_once("started", 2.0)
    assert daemon.written["stdout"] == b"x"
    assert daemon.marks == {"started": 1.0}
    assert isinstance(report.runtime_connection(), asyncio.Protocol)
