"""Code that means harm, in a container: what it tries reaches neither the daemon nor a neighbour.

The process engine isolates nothing, and says so: these are promises of containers alone.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.integration.conftest import Begin
from tests.integration.project import Project, until

pytestmark = pytest.mark.docker

RUNS_ANYTHING = """
import os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    scope = {"context": context, "calls": calls}
    exec(event.get("code", "result = None"), scope)
    return scope["result"]
"""
# what the daemon may hold more than before, whatever a function does
GROWTH_MAX_KB = 96 * 1024


@pytest.fixture(scope="module")
def project(begin: Begin, docker_engine: None) -> Iterator[Project]:
    with begin("docker") as made:
        made.write({"hostile/app.py": RUNS_ANYTHING, "victim/app.py": RUNS_ANYTHING})
        made.describe({"hostile": {"timeout": 20}, "victim": {}})
        yield made


def attempt(project: Project, code: str, function: str = "hostile") -> dict[str, Any]:
    return project.invoke(function, {"code": dedent(code)})


def tried(project: Project, code: str) -> Any:
    """What the code found out, in a turn that succeeded."""
    answer = attempt(project, code)
    assert answer["outcome"] == "succeeded", answer
    return answer["payload"]


def daemon_memory_kb(project: Project) -> int:
    status = Path(f"/proc/{project.status()['pid']}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_the_control_socket_leads_nowhere(project: Project) -> None:
    found = tried(
        project,
        """
        import os, socket
        result = []
        for folder, _, files in os.walk("/var/lambdash"):
            for name in files:
                try:
                    socket.socket(socket.AF_UNIX).connect(os.path.join(folder, name))
                    result.append(name)
                except OSError:
                    pass
        """,
    )
    assert found == []


def test_the_launchers_descriptors_and_memory_are_its_own(project: Project) -> None:
    found = tried(
        project,
        """
        import ctypes, os
        result = {}
        for path in ("/proc/1/fd/3", "/proc/1/mem", "/proc/1/environ", "/proc/1/maps"):
            try:
                os.read(os.open(path, os.O_RDWR if path.endswith("mem") else os.O_RDONLY), 1)
                result[path] = "read"
            except OSError as error:
                result[path] = "refused"
        try:
            result["list"] = os.listdir("/proc/1/fd")
        except OSError:
            result["list"] = "refused"
        result["ptrace"] = ctypes.CDLL(None).ptrace(16, 1, 0, 0)
        """,
    )
    assert found.pop("ptrace") == -1
    assert set(found.values()) == {"refused"}, found


def test_the_launcher_cannot_be_killed_from_inside(project: Project) -> None:
    tried(project, "import os, signal\nfor n in (9, 15, 19, 1): os.kill(1, n)\nresult = 1")
    assert project.invoke("hostile")["start"] == "warm"


def test_a_neighbours_runtime_api_cannot_be_reached(project: Project) -> None:
    project.invoke("victim")
    found = tried(
        project,
        """
        import ipaddress, socket
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.connect(("192.0.2.1", 9))
        mine = probe.getsockname()[0]
        network = ipaddress.ip_network(mine + "/28", strict=False)
        result = {"mine": mine, "reached": []}
        for address in network.hosts():
            try:
                socket.create_connection((str(address), 9001), 0.2).close()
                result["reached"].append(str(address))
            except OSError:
                pass
        """,
    )
    assert found["mine"].count(".") == 3
    assert found["reached"] == []


def test_an_answer_to_what_it_was_not_asked_is_refused(project: Project) -> None:
    """Ids of others are unknown to its own Runtime API, and it has no other."""
    victim = project.invoke("victim")
    found = tried(
        project,
        f"""
        import http.client, os
        api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        result = []
        for id in ("{victim["request_id"]}", "0", "..", "%2e%2e/x"):
            for word in ("response", "error"):
                api.request("POST", f"/2018-06-01/runtime/invocation/{{id}}/{{word}}", b"faked")
                answer = api.getresponse()
                answer.read()
                result.append(answer.status)
        """,
    )
    assert min(found) >= 400
    assert max(found) < 500


def test_floods_do_not_grow_the_daemon(project: Project) -> None:
    project.invoke("victim")
    before = daemon_memory_kb(project)
    attempt(
        project,
        """
        import http.client, os, socket, sys
        block = "x" * 65535 + "\\n"
        for _ in range(1500):
            sys.stdout.write(block)
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        held = []
        for _ in range(300):
            try:
                one = socket.create_connection((host, int(port)), 1)
                one.sendall(b"GET /2018-06-01/runtime/ HTTP/1.1\\r\\nX: " + b"y" * 60000)
                held.append(one)
            except OSError:
                pass
        path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
        big = http.client.HTTPConnection(host, int(port))
        try:
            big.request("POST", path, iter([b"z" * 1048576] * 200), encode_chunked=True,
                        headers={"Transfer-Encoding": "chunked"})
            big.getresponse().read()
        except OSError:
            pass
        result = 1
        """,
    )
    assert daemon_memory_kb(project) - before < GROWTH_MAX_KB
    assert project.invoke("victim")["start"] == "warm"


def test_nothing_holds_its_slot_past_the_deadline(project: Project) -> None:
    project.describe({"hostile": {"timeout": 2}, "victim": {}})
    answer = attempt(
        project,
        """
        import os, signal, time
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        for _ in range(20):
            if os.fork() == 0:
                os.setsid()
                while True:
                    time.sleep(100)
        while True:
            pass
        """,
    )
    assert answer["outcome"] == "timed_out"
    assert answer["timings_ms"]["total"] < 15_000
    listing = "import os\nresult = sum(name.isdigit() for name in os.listdir('/proc'))"
    assert tried(project, listing) <= 3, "the launcher, the runtime, and no other"


def test_a_fork_bomb_leaves_its_neighbour_and_the_daemon_be(project: Project) -> None:
    project.describe({"hostile": {"timeout": 5}, "victim": {"timeout": 20}})
    project.invoke("victim")
    bomb = """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
    """
    outcomes: list[str] = []
    throwing = threading.Thread(target=lambda: outcomes.append(attempt(project, bomb)["outcome"]))
    throwing.start()
    answers = [project.invoke("victim")["outcome"] for _ in range(3)]
    throwing.join(60)
    assert answers == ["succeeded"] * 3
    assert outcomes in (["timed_out"], ["crashed"])
    until(lambda: tried(project, "result = 1"), "it serves again")
