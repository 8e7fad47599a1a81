"""Functions that fail in every way: a clear answer, a daemon that lives, the next call right."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lambdash import limits
from lambdash.engines.images.runtimes import find_interpreter
from tests.integration import endpoint
from tests.integration.conftest import Begin
from tests.integration.project import Project, until

pytestmark = pytest.mark.shared
# nothing else on this machine sleeps for exactly so long
_SLEEP = f"['sleep', '600.{secrets.randbelow(10**9)}']"
_SOURCES = {
    "good": "calls = 0\ndef handler(e, c):\n    global calls\n    calls += 1\n    return calls\n",
    "no-handler": "def other(e, c): return 1\n",
    "bad-syntax": "def handler(e, c:\n",
    "bad-import": "import nothing_of_this_name\ndef handler(e, c): return 1\n",
    "exits": "import os\ndef handler(e, c): os._exit(e['code'])\n",
    "hangs": "import time\ncalls = 0\ndef handler(e, c):\n    global calls\n    calls += 1\n"
    "    if e.get('hang'): time.sleep(60)\n    return calls\n",
    "prints": "import os\nLINE = b'x' * 1023 + b'\\n'\ndef handler(e, c):\n"
    "    for _ in range(100 * 1024): os.write(1, LINE)\n    return 'printed'\n",
    "forks": "import subprocess\ncalls = 0\ndef handler(e, c):\n    global calls\n    calls += 1\n"
    "    for _ in range(3):\n"
    f"        subprocess.Popen({_SLEEP}, start_new_session=True)\n    return calls\n",
    "kills": "import os, signal, subprocess\ndef handler(e, c):\n"
    f"    child = subprocess.Popen({_SLEEP}, start_new_session=True)\n"
    "    os.kill(e.get('whom') or os.getppid(), signal.SIGKILL)\n"
    "    return child.wait(5) if e.get('whom') else child.pid\n",
    "large": "def handler(e, c): return 'x' * e['bytes']\n",
    "unserialisable": "def handler(e, c): return {1, 2}\n",
}


@dataclass
class Case:
    """A call of a bad function, and what must be answered."""

    function: str
    outcome: str
    error_type: str
    message: str
    code: int = 1
    event: dict[str, Any] = field(default_factory=dict)


_CASES = [
    Case("no-handler", "init_failed", "Runtime.HandlerNotFound", "Handler 'handler' missing"),
    Case("bad-syntax", "init_failed", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
    Case("bad-import", "init_failed", "Runtime.ImportModuleError", "nothing_of_this_name"),
    Case(
        *("exits", "crashed", "Runtime.ExitError", "Runtime exited without providing a reason"),
        event={"code": 0},
    ),
    Case(
        *("exits", "crashed", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        event={"code": 3},
    ),
    Case(
        *("hangs", "timed_out", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        code=5,
        event={"hang": True},
    ),
    Case(
        *("large", "function_failed", "Function.ResponseSizeTooLarge", "Response payload size"),
        event={"bytes": limits.RESPONSE_PAYLOAD_MAX_BYTES},
    ),
    Case("unserialisable", "function_failed", "Runtime.MarshalError", "not JSON serializable"),
]


@pytest.fixture(scope="module")
def bad(begin: Begin, engine: str) -> Iterator[Project]:
    """One daemon with all of them; it must be the same one at the end."""
    with begin(engine) as project:
        settings = {name: {"memory_size": 128} for name in _SOURCES}
        project.describe({**settings, "hangs": {"memory_size": 128, "timeout": 1}})
        project.write({f"{name}/app.py": source for name, source in _SOURCES.items()})
        project.succeed("deploy")
        pid = project.ask("status")["pid"]
        yield project
        assert project.ask("status")["pid"] == pid


@pytest.fixture(autouse=True)
def the_good_one_still_answers(bad: Project) -> Iterator[None]:
    """Warm, and by the environment that served it before."""
    served_at = bad.ask("status")["endpoint"]
    before = endpoint.invoke(served_at, "good", {}).document
    yield
    assert endpoint.invoke(served_at, "good", {}).document > before


@pytest.mark.parametrize("case", _CASES, ids=lambda case: f"{case.function}-{case.error_type}")
def test_the_error_says_what_is_wrong(bad: Project, case: Case) -> None:
    ran = bad.run("invoke", case.function, "-p", json.dumps(case.event), "--json")
    assert ran.code == case.code
    answer = ran.document
    assert (answer["outcome"], answer["function_error"]) == (case.outcome, "Unhandled")
    assert answer["payload"]["errorType"] == case.error_type
    assert case.message in answer["payload"]["errorMessage"]


def test_people_read_the_error_and_the_end_of_the_log(bad: Project) -> None:
    ran = bad.run("invoke", "unserialisable", "--tail")
    assert ran.code == 1
    assert json.loads(ran.stdout)["errorType"] == "Runtime.MarshalError"
    lines = ran.stderr.splitlines()
    assert any(line.startswith("function failed: Runtime.MarshalError: ") for line in lines)
    assert lines[-1].startswith(("warm  duration ", "cold  total "))


def test_a_function_answers_after_its_timeout(bad: Project) -> None:
    assert bad.invoke("hangs", {"hang": True})["outcome"] == "timed_out"
    after = bad.invoke("hangs", {})
    assert (after["outcome"], after["payload"]) == ("succeeded", 1)


def test_a_function_answers_after_a_crash(bad: Project) -> None:
    assert bad.invoke("large", {"bytes": 10})["payload"] == "x" * 10
    exited = bad.invoke("exits", {"code": 1})
    assert exited["outcome"] == "crashed"
    until(lambda: exited["environment"] not in _environments(bad), "it is not used again")


def test_100_mb_of_output_neither_fill_the_daemon_nor_the_journal(bad: Project) -> None:
    pid = bad.ask("status")["pid"]
    before_kb = _resident_kb(pid)
    ran = bad.run("invoke", "prints", "--json", "--tail")
    assert ran.document["payload"] == "printed"
    assert len(ran.document["log_tail"]) == limits.LOG_TAIL_MAX_BYTES
    assert _resident_kb(pid) - before_kb < 32 * 1024
    kept = bad.succeed("logs", "prints", "--request-id", ran.document["request_id"])["events"]
    written = [line["text"] for line in kept if line["stream"] == "stdout"]
    assert sum(map(len, written)) <= limits.LOG_KEPT_PER_INVOCATION_MAX_BYTES
    said, end, report = (line["text"] for line in kept[-3:])
    assert re.search(r"\d+ more bytes of output were not kept", said)
    assert (end[:3], report[:6]) == ("END", "REPORT")


def _resident_kb(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def test_children_that_outlive_a_call_do_not_outlive_their_environment(bad: Project) -> None:
    first = bad.invoke("forks")
    second = bad.invoke("forks")
    assert (second["start"], second["payload"]) == ("warm", first["payload"] + 1)
    children = _sleepers()
    assert len(children) >= 6
    bad.write({"forks/app.py": _SOURCES["forks"].replace("return calls", "return 'new'")})
    assert bad.invoke("forks")["payload"] == "new"
    until(lambda: not children & _sleepers(), "the old environment's children are gone")


def _sleepers() -> set[int]:
    """Processes of this module's functions, which sleep for ten minutes."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            if repr([os.fsdecode(argument) for argument in arguments]) == _SLEEP:
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def test_a_function_that_kills_what_it_can_reach(bad: Project) -> None:
    before = _sleepers()
    if bad.engine == "docker":
        spared = bad.invoke("kills", {"whom": -1})
        assert spared["payload"] == -9, "it killed PID 1's other children, not itself"
        # PID 1 is the launcher, to which the kernel delivers no SIGKILL from inside
        assert bad.invoke("kills", {})["outcome"] == "succeeded"
    else:
        # its parent is its own launcher; it may have answered before that was noticed
        lost = bad.invoke("kills", {})
        assert lost["outcome"] in ("succeeded", "crashed", "platform_failed")
        until(lambda: lost["environment"] not in _environments(bad), "the environment is gone")
        assert bad.invoke("kills", {})["start"] == "cold"
    bad.write({"kills/app.py": "def handler(e, c): return 'tame'\n"})
    assert bad.invoke("kills")["payload"] == "tame"
    until(lambda: _sleepers() <= before, "what it started is gone")


def _environments(project: Project) -> set[str]:
    return {held["id"] for held in project.ask("ps")["environments"]}


def test_payloads_that_no_function_can_have(bad: Project) -> None:
    ran = bad.run("invoke", "good", "-p", '{"a": 1,\n "b": nope}', "--json")
    assert (ran.code, ran.error["code"]) == (2, "payload-not-json")
    assert "line 2, column 7" in ran.error["message"]
    too_large = json.dumps("x" * limits.REQUEST_PAYLOAD_MAX_BYTES).encode()
    ran = bad.run("invoke", "good", "-p", "-", "--json", stdin=too_large)
    assert (ran.code, ran.error["code"]) == (2, "payload-too-large")

    served_at = bad.ask("status")["endpoint"]
    with endpoint.Caller(served_at) as caller:
        broken = caller.invoke("good", b"{nope")
        assert broken.status == 400
        assert broken.headers["x-amzn-errortype"] == "InvalidRequestContentException"
        assert broken.document["Type"] == "User"
        assert broken.document["Message"].startswith("Could not parse request body into json: ")
    with endpoint.Caller(served_at) as caller:
        refused = caller.invoke("good", too_large)
        assert refused.status == 413
        assert refused.headers["x-amzn-errortype"] == "RequestTooLargeException"
    largest = json.dumps("x" * (limits.REQUEST_PAYLOAD_MAX_BYTES - 2)).encode()
    with endpoint.Caller(served_at) as caller:
        answer = caller.invoke("large", b'{"bytes": %d}' % (limits.REQUEST_PAYLOAD_MAX_BYTES - 2))
        assert (answer.status, answer.body) == (200, largest)
        assert caller.invoke("good", largest).status == 200


def test_unknown_names_and_broken_manifests(bad: Project) -> None:
    ran = bad.run("invoke", "goood", "--json")
    assert (ran.code, ran.error["code"]) == (2, "function-not-found")
    assert "did you mean `good`" in ran.error["hint"]

    text = bad.manifest.read_text()
    try:
        bad.manifest.write_text(text.replace('"handler"', '"handlr"', 1))
        ran = bad.run("invoke", "good", "--json")
        assert (ran.code, ran.error["code"]) == (2, "manifest-invalid")
        assert re.search(r"lambdash\.yaml:\d+:\d+: .*handlr.*handler", ran.error["message"])
        bad.manifest.write_text("functions: [\n")
        assert bad.run("invoke", "good", "--json").error["code"] == "manifest-invalid"
        assert bad.run("invoke", "good").code == 2
    finally:
        bad.manifest.write_text(text)


def test_an_interpreter_that_is_not_here(bad: Project) -> None:
    text = bad.manifest.read_text()
    try:
        bad.manifest.write_text(re.sub(r"python3\.\d+", _missing_runtime(), text, count=1))
        ran = bad.run("invoke", "good", "--json")
        assert ran.code == 3
        assert _missing_runtime() in ran.error["message"]
        assert ran.error["hint"]
    finally:
        bad.manifest.write_text(text)


def _missing_runtime() -> str:
    names = [f"python3.{minor}" for minor in (14, 9, 10, 13, 12)]
    missing = [name for name in names if find_interpreter(name) is None]
    if not missing:
        pytest.skip("this machine has every interpreter that AWS Lambda offers")
    return missing[0]
