"""Many callers at once, and a daemon killed in the middle of serving them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException

import pytest

from tests.integration import leftovers
from tests.integration.endpoint import invoke
from tests.integration.project import Project, until

_CALLERS = 200
_MAX_ENVIRONMENTS = 16
_HANDLER = """
import os, secrets, time
identity, serving = secrets.token_hex(8), 0

def handler(event, context):
    global serving
    serving += 1
    time.sleep(0.05)
    alone = serving == 1
    serving -= 1
    return {"nonce": event["nonce"], "identity": identity, "alone": alone}
"""


@pytest.fixture
def busy(project: Project) -> Project:
    project.describe({"busy": {"max_environments": _MAX_ENVIRONMENTS, "memory_size": 128}})
    project.write({"busy/app.py": _HANDLER})
    return project


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(_CALLERS) as pool:
        yield pool


def test_each_of_200_callers_gets_its_own_answer_from_at_most_16_environments(
    busy: Project, callers: ThreadPoolExecutor
) -> None:
    busy.succeed("deploy")
    endpoint = busy.status()["endpoint"]

    answers = [callers.submit(invoke, endpoint, "busy", {"nonce": n}) for n in range(_CALLERS)]
    peak = _peak_until_done(busy, answers)

    documents = [answer.result().document for answer in answers]
    assert [document["nonce"] for document in documents] == list(range(_CALLERS))
    assert all(document["alone"] for document in documents)
    assert peak == _MAX_ENVIRONMENTS
    assert len({document["identity"] for document in documents}) <= _MAX_ENVIRONMENTS
    held = busy.ask("ps")["environments"]
    assert sum(environment["invocations"] for environment in held) == _CALLERS

    _kill_in_the_middle_of_a_burst(busy, endpoint, callers)


def _peak_until_done(project: Project, answers: "list[Future[object]]") -> int:
    peak = 0
    while not all(answer.done() for answer in answers):
        peak = max(peak, project.ask("status")["environments"]["total"])
        time.sleep(0.02)
    return max(peak, project.ask("status")["environments"]["total"])


def _kill_in_the_middle_of_a_burst(
    project: Project, endpoint: str, callers: ThreadPoolExecutor
) -> None:
    pid = project.ask("status")["pid"]
    answered = threading.Semaphore(0)

    def call(nonce: int) -> bool:
        try:
            document = invoke(endpoint, "busy", {"nonce": nonce}).document
        except (OSError, HTTPException):
            return False
        if str(document.get("Message", "")).startswith("Function not found"):
            return False  # another project's daemon has taken the dead one's port
        answered.release()
        return bool(document["nonce"] == nonce)

    burst = [callers.submit(call, nonce) for nonce in range(_CALLERS)]
    for _ in range(20):
        assert answered.acquire(timeout=30)
    os.kill(pid, signal.SIGKILL)
    served = [call.result() for call in burst]
    assert True in served
    assert False in served

    before = leftovers.processes(project)
    objects = _left_in_engine(project)
    assert project.run("start").code == 0
    until(lambda: not before & leftovers.processes(project), "the old processes are gone")
    assert not objects & _left_in_engine(project)
    assert invoke(project.status()["endpoint"], "busy", {"nonce": 7}).document["nonce"] == 7


def _left_in_engine(project: Project) -> set[str]:
    return leftovers.in_engine(project.id) if project.engine == "docker" else set()
