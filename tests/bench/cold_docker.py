"""A cold start in a container: from the invoke to the runtime's first ``/next``.

Against the same container (image, mounts, limits, user, variables) made by hand through the raw
Engine API and started with the image's own entrypoint: once in an existing network namespace, once
on a bridge address of its own. There the benchmark itself is the Runtime API, on the bridge's
gateway; the clock stops when the first ``/next`` arrives.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine_socket import RawEngine
from figures import Figure, Rounds, own, ratio
from load import raw_client
from options import Options
from project import ECHO, Project, project
from runtimes import host_runtime

_ROUNDS = 15
_AT_ONCE = 16
_FUNCTION = "hello"
_SETTLE_S = 0.5
_REST_S = 5.0
_SLOW = "import time\n\n\ndef handler(event, context):\n    time.sleep(12)\n"


def measure(options: Options) -> Iterator[Figure]:
    """One at a time beside both hand-made ways; then many at once."""
    yield from _one_at_a_time(options)
    yield from _at_once(options)


def _one_at_a_time(options: Options) -> list[Figure]:
    rounds = Rounds()
    with _ours(ECHO) as ours, _ByHand(ours) as by_hand:
        sides: dict[str, Callable[[], float]] = {
            "ours": lambda: _cold_ms(ours),
            "joined": lambda: by_hand.start_ms(by_hand.namespace),
            "bridge": lambda: by_hand.start_ms("bridge"),
        }
        for once in sides.values():
            once()
        for _ in range(max(_ROUNDS, options.repeat)):
            for side, measure_side in sides.items():
                time.sleep(_SETTLE_S)  # removals and refilled pools are nobody's cold start
                rounds.add(side, measure_side())
    name, ours_ms = "cold_docker invoke -> first /next", rounds["ours"]
    joined, bridge = rounds["joined"], rounds["bridge"]
    return [
        Figure(name, "ms", ours_ms, "by hand, namespace joined", joined, ratio(at_most=1.3)),
        Figure(name, "ms", ours_ms, "by hand, bridge address", bridge, ratio(at_most=0.6)),
    ]


@contextlib.contextmanager
def _ours(source: str, **settings: int) -> Iterator[Project]:
    with project("docker") as ours:
        ours.write("code/app.py", source)
        ours.manifest(
            {
                _FUNCTION: {
                    "code": "./code",
                    "handler": "app.handler",
                    "runtime": host_runtime(),
                    "timeout": 30,
                    "max_environments": _AT_ONCE,
                    **settings,
                }
            }
        )
        ours.run("deploy")
        yield ours


def _cold_ms(ours: Project) -> float:
    """Arrival to first ``/next`` of one cold invocation, from its own trace."""
    answer = ours.invoke(_FUNCTION, "--cold")
    assert answer["start"] == "cold", answer
    return _ready_ms(ours.run("trace", answer["request_id"]))


def _ready_ms(trace: dict[str, Any]) -> float:
    init = next(phase for phase in trace["phases"] if phase["name"] == "init")
    return float(init["start_ms"] + init["length_ms"])


class _ByHand:
    """Starts copies of one of the project's containers through the raw Engine API."""

    def __init__(self, ours: Project) -> None:
        self._engine = RawEngine()
        self._created: list[str] = []
        self._polls: list[socket.socket] = []
        sandbox = ours.invoke(_FUNCTION, "--cold")["sandbox"]
        self._model = self._engine.call("GET", f"/containers/{sandbox}/json")
        image = self._engine.call("GET", f"/images/{self._model['Image']}/json")
        self._command = [*(image["Config"]["Entrypoint"] or []), "app.handler"]
        self._address = ""
        self.namespace = ""

    def __enter__(self) -> _ByHand:
        holder = self._create(["/bin/sleep", "100000"], "bridge")
        self._engine.call("POST", f"/containers/{holder}/start")
        self.namespace = f"container:{holder}"
        networks = self._engine.call("GET", f"/containers/{holder}/json")["NetworkSettings"]
        gateway = networks["Networks"]["bridge"]["Gateway"]
        self._listener = socket.create_server((gateway, 0))
        self._listener.settimeout(60.0)
        self._address = f"{gateway}:{self._listener.getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for created in list(reversed(self._created)):
            self._remove(created)
        for poll in self._polls:
            poll.close()
        self._engine.close()

    def start_ms(self, network: str) -> float:
        """Create to the first ``/next``."""
        begin = time.perf_counter()
        created = self._create(self._command, network)
        self._engine.call("POST", f"/containers/{created}/start")
        self._await_next()
        taken_ms = (time.perf_counter() - begin) * 1000
        self._remove(created)
        return taken_ms

    def start_many_ms(self, count: int) -> float:
        """So many at once in the existing namespace, until the last one's first ``/next``."""
        begin = time.perf_counter()
        with ThreadPoolExecutor(count) as threads:
            started = [threads.submit(self._start_one) for _ in range(count)]
            for _ in range(count):
                self._await_next()
            taken_ms = (time.perf_counter() - begin) * 1000
        for one in started:
            self._remove(one.result())
        return taken_ms

    def _start_one(self) -> str:
        engine = RawEngine()
        try:
            created = self._create(self._command, self.namespace, engine)
            engine.call("POST", f"/containers/{created}/start")
            return created
        finally:
            engine.close()

    def _await_next(self) -> None:
        connection = self._listener.accept()[0]
        asked = connection.recv(4096)
        assert b"/runtime/invocation/next" in asked, asked
        self._polls.append(connection)

    def _create(self, command: list[str], network: str, engine: RawEngine | None = None) -> str:
        host = dict(self._model["HostConfig"])
        host["NetworkMode"] = network
        if network.startswith("container:"):
            host["ExtraHosts"] = None
        host["Mounts"] = [one for one in host["Mounts"] if not one["Target"].endswith(".sock")]
        config = self._model["Config"]
        document = {
            "Image": self._model["Image"],
            "Entrypoint": command,
            "Cmd": [],
            "Env": [*(config["Env"] or []), *self._variables()],
            "User": config["User"],
            "WorkingDir": config["WorkingDir"],
            "HostConfig": host,
        }
        engine = engine or self._engine
        created: str = engine.call("POST", "/containers/create", document)["Id"]
        self._created.append(created)
        return created

    def _variables(self) -> list[str]:
        return [
            f"AWS_LAMBDA_RUNTIME_API={self._address}",
            "_HANDLER=app.handler",
            "LAMBDA_TASK_ROOT=/var/task",
            "AWS_LAMBDA_FUNCTION_NAME=hello",
            "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
        ]

    def _remove(self, container: str) -> None:
        self._engine.call("DELETE", f"/containers/{container}?force=1&v=1")
        self._created.remove(container)


def _at_once(options: Options) -> list[Figure]:
    """From the first of 16 invokes to the last environment's first ``/next``; nothing is warm.

    The daemon's first burst ever, and one when all environments of the first have ended and their
    namespaces are spare.
    """
    rounds = Rounds()
    with _ours(_SLOW, keep_alive=1) as ours, _ByHand(ours) as by_hand:
        for _ in range(options.repeat):
            ours.stop()
            rounds.add("by hand", by_hand.start_many_ms(_AT_ONCE))
            ours.run("deploy")
            time.sleep(_REST_S)
            rounds.add("first", _all_ready_ms(ours))
            _wait_until_ended(ours)
            time.sleep(_REST_S)
            rounds.add("later", _all_ready_ms(ours))
    name, target = f"cold_docker {_AT_ONCE} at once, all ready", own(at_most=1200)
    peer, theirs = "by hand, namespace joined", rounds["by hand"]
    return [
        Figure(f"{name} (first burst)", "ms", rounds["first"], peer, theirs),
        Figure(f"{name} (later burst)", "ms", rounds["later"], peer, theirs, target),
    ]


def _wait_until_ended(ours: Project) -> None:
    end = time.monotonic() + 60.0
    while ours.run("ps")["environments"]:
        if time.monotonic() > end:
            raise TimeoutError("idle environments outlive their keep_alive")
        time.sleep(0.5)


def _all_ready_ms(ours: Project) -> float:
    begin, url = time.time(), ours.url(_FUNCTION)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(_call, [url] * _AT_ONCE))
    entries = ours.journal(_AT_ONCE, begin)
    served = {entry.environment for entry in entries}
    assert len(served) == _AT_ONCE, f"only {len(served)} environments served"
    first = min(entry.marks["received"] for entry in entries)
    return (max(entry.marks["first_next"] for entry in entries) - first) * 1000


def _call(url: str) -> None:
    with raw_client(url, "{}") as client:
        client.call()
