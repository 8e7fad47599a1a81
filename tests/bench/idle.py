"""The daemon at rest with one warm environment; the warm path, seen from the engine's socket."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from engine_socket import counting_proxy
from figures import Figure, own
from load import raw_client
from options import Options
from processes import cpu_seconds, resident_mib
from project import ECHO, Project, project
from runtimes import host_runtime

_IDLE_S = 30.0
_WARM_INVOKES = 200


def measure(options: Options) -> Iterator[Figure]:
    """Idle figures of both engines, and the engine calls during 200 warm invokes."""
    with project("process") as ours:
        _warm(ours)
        yield from _at_rest(ours, "process")
    with (
        tempfile.TemporaryDirectory(prefix="lambdash-bench-") as folder,
        counting_proxy(Path(folder) / "engine.sock") as proxy,
        project("docker", {"DOCKER_HOST": f"unix://{proxy.path}"}) as ours,
    ):
        _warm(ours)
        yield from _at_rest(ours, "docker")
        with raw_client(ours.url("hello")) as client:
            before = len(proxy.requests)
            for _ in range(_WARM_INVOKES):
                client.call()
            calls = proxy.requests[before:]
        assert before, "the daemon did not use the proxy: the count would say nothing"
        name = f"engine calls in {_WARM_INVOKES} warm invokes"
        yield Figure(name, "", [len(calls)], target=own(at_most=0), note="; ".join(calls))


def _warm(ours: Project) -> None:
    ours.write("code/app.py", ECHO)
    function = {"code": "./code", "handler": "app.handler", "runtime": host_runtime()}
    ours.manifest({"hello": function})
    for _ in range(3):
        ours.invoke("hello")


def _at_rest(ours: Project, engine: str) -> list[Figure]:
    pid = ours.pid()
    time.sleep(2.0)  # what follows an invocation (the journal, pools refilled) is not rest
    before_s, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(_IDLE_S)
    used = (cpu_seconds(pid) - before_s) / (time.monotonic() - begin)
    return [
        Figure(f"idle {engine}: CPU", "% of a core", [used * 100], target=own(at_most=0.5)),
        Figure(f"idle {engine}: RSS", "MiB", [resident_mib(pid)], target=own(at_most=80.0)),
    ]
