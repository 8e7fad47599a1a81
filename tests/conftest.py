"""What every part of the suite shares: its workers, its session, and whether an engine is there."""

import os
import signal
from collections import Counter
from pathlib import Path

import docker
import docker.errors
import pytest

from tests.session import Session

_WORKERS_PER_CORE = 2  # most of its time a test waits, for processes and engines
_WORKERS_MAX = 8
_LEFT = pytest.StashKey[list[str]]()
_CONTAINED = pytest.StashKey[Counter[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Folders are tested by several workers at once; `-n` and `--pdb` are obeyed."""
    if _is_worker(config):
        return
    options = config.option
    folders = any(Path(argument).is_dir() for argument in config.args)
    if folders and not options.usepdb and getattr(options, "numprocesses", 0) is None:
        options.numprocesses = min(_WORKERS_MAX, _WORKERS_PER_CORE * (os.cpu_count() or 1))
    if getattr(options, "numprocesses", 0):
        options.dist = "loadgroup"


def pytest_configure(config: pytest.Config) -> None:
    # what is started in the background ignores Ctrl-C, and so would every command tested here
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not _is_worker(config):
        Session.begin()
        config.stash[_CONTAINED] = Counter()
        config.pluginmanager.register(_Outcomes(config.stash[_CONTAINED]))


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module makes go to one worker, each engine's by themselves."""
    for item in items:
        if item.get_closest_marker("shared"):
            engine = item.callspec.params.get("engine", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__} {engine}"))


class _Outcomes:
    """Counts how the tests in containers ended."""

    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "docker" in report.keywords and (report.when == "call" or not report.passed):
            self._counted[report.outcome] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """When the last worker has ended, nothing that the session made may remain."""
    if _is_worker(session.config):
        return
    left = session.config.stash[_LEFT] = Session.current().leftovers()
    Session.current().end()
    all_of_it = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
    needed = all_of_it and _in_ci()
    contained = session.config.stash[_CONTAINED]["passed"] > 0 or not needed
    if session.exitstatus == pytest.ExitCode.OK and (left or not contained):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _in_ci() -> bool:
    return bool(os.environ.get("LAMBDASH_REQUIRE_DOCKER") or os.environ.get("CI"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    counted = config.stash[_CONTAINED]
    outcomes = ", ".join(f"{counted[outcome]} {outcome}" for outcome in sorted(counted))
    terminalreporter.write_line(f"in containers: {outcomes or 'NOTHING WAS TESTED'}")
    if left := config.stash.get(_LEFT, []):
        terminalreporter.section("left on this machine by the tests", red=True)
        terminalreporter.write_line("\n".join(left))


@pytest.fixture(scope="session", autouse=True)
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The session, which from now on answers for what runs from this worker's own folders too."""
    found = Session.current()
    found.watch(tmp_path_factory.getbasetemp())
    return found


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """An engine answers. Without one: a failure in CI, elsewhere one loud skip."""
    try:
        client = docker.from_env(timeout=20)
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        if _in_ci():
            pytest.fail(f"a Docker engine is required here: {error}")
        pytest.skip(f"NO DOCKER ENGINE ANSWERS: NOTHING WAS TESTED IN CONTAINERS ({error})")
