"""A warm invoke in a container with the official Python client: what is added to the runtime.

The runtime's own turn is ``duration``: from the hand-over to the answer, as the journal has it for
that very call. Peers: AWS's emulator binary in front of the same image's client, on the host's
network (no hop, which suits it best); serverless-offline with as many processes as it likes.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from engine_socket import RawEngine
from figures import Figure, Rounds, own, ratio
from load import raw_client, request_id, wrk
from options import Options
from peers import Peers, environment
from processes import free_port, running, wait_for_port
from project import ECHO, Project, project
from runtimes import host_runtime

_CALLS = 500
_ENVIRONMENTS = 16
_FUNCTION = "echo"


def measure(options: Options) -> Iterator[Figure]:
    """Overhead and latency at concurrency 1, throughput at 8 and 32."""
    with tempfile.TemporaryDirectory(prefix="lambdash-bench-") as folder, _ours() as ours:
        yield from _one_at_a_time(ours, Path(folder), options)
        yield from _many_at_a_time(ours, Path(folder), options)


@contextlib.contextmanager
def _ours() -> Iterator[Project]:
    with project("docker") as ours:
        ours.write("code/app.py", ECHO)
        ours.manifest(
            {
                _FUNCTION: {
                    "code": "./code",
                    "handler": "app.handler",
                    "runtime": host_runtime(),
                    "max_environments": _ENVIRONMENTS,
                }
            }
        )
        ours.invoke(_FUNCTION)
        yield ours


def _one_at_a_time(ours: Project, folder: Path, options: Options) -> list[Figure]:
    overhead, latency = [], Rounds()
    with _emulator(ours, folder, options.peers) as peer_url:
        for url in (peer_url, ours.url(_FUNCTION)):
            _latencies_us(url)
        for number in range(options.repeat):
            for side in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
                if side == "theirs":
                    latency.add(side, median(_latencies_us(peer_url).values()))
                    continue
                begin = time.time()
                taken_us = _latencies_us(ours.url(_FUNCTION))
                latency.add(side, median(taken_us.values()))
                overhead.append(median(_overheads_us(ours, taken_us, begin)))
    name = "warm_container c=1"
    peer = "AWS RIE"
    return [
        Figure(f"{name} overhead p50", "us", overhead, target=own(at_most=300)),
        Figure(f"{name} p50", "us", latency["ours"], peer, latency["theirs"], ratio(at_most=1.0)),
    ]


def _latencies_us(url: str) -> dict[str, float]:
    """Microseconds of each call by its request id; calls without one are numbered."""
    found = {}
    with raw_client(url) as client:
        for number in range(_CALLS):
            taken_s, head, _ = client.call()
            known = b"x-amzn-requestid" in head.lower()
            found[request_id(head) if known else str(number)] = taken_s * 1e6
    return found


def _overheads_us(ours: Project, taken_us: dict[str, float], begin: float) -> list[float]:
    durations_us = {
        entry.request_id: (entry.marks["responded"] - entry.marks["dispatched"]) * 1e6
        for entry in ours.journal(len(taken_us), begin)
    }
    return [taken - durations_us[request] for request, taken in taken_us.items()]


@contextlib.contextmanager
def _emulator(ours: Project, folder: Path, peers: Peers) -> Iterator[str]:
    """AWS's emulator as the entrypoint of the image that our own environment runs."""
    engine = RawEngine()
    sandbox = ours.invoke(_FUNCTION)["sandbox"]
    image = engine.call("GET", f"/containers/{sandbox}/json")["Image"]
    entrypoint = engine.call("GET", f"/images/{image}/json")["Config"]["Entrypoint"]
    port, runtime_port = free_port(), free_port()
    code = folder / "emulated"
    code.mkdir()
    (code / "app.py").write_text(ECHO)
    emulator = ["/rie", "--log-level", "error"]
    emulator += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    emulator += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
    created = engine.call(
        "POST",
        "/containers/create",
        {
            "Image": image,
            "Entrypoint": [*emulator, *entrypoint, "app.handler"],
            "Cmd": [],
            "Env": [
                "AWS_LAMBDA_FUNCTION_TIMEOUT=300",
                f"AWS_LAMBDA_RUNTIME_API=127.0.0.1:{runtime_port}",
            ],
            "HostConfig": {
                "NetworkMode": "host",
                "Binds": [
                    f"{peers.runtime_interface_emulator()}:/rie:ro",
                    f"{code}:/var/task:ro",
                ],
            },
        },
    )["Id"]
    try:
        engine.call("POST", f"/containers/{created}/start")
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    finally:
        engine.call("DELETE", f"/containers/{created}?force=1")
        engine.close()


def _many_at_a_time(ours: Project, folder: Path, options: Options) -> Iterator[Figure]:
    with _serverless(folder, options.peers) as peer_url:
        for concurrency in (8, 32):
            rounds = Rounds()
            urls = {"ours": ours.url(_FUNCTION), "theirs": peer_url}
            for url in urls.values():
                wrk(url, concurrency, 3.0)
            for number in range(options.repeat):
                order = list(urls.items())
                for side, url in order if number % 2 == 0 else reversed(order):
                    rounds.add(side, wrk(url, concurrency, options.seconds).per_second)
            yield Figure(
                f"warm_container c={concurrency} invocations",
                "1/s",
                rounds["ours"],
                "serverless-offline",
                rounds["theirs"],
                ratio(at_least=1.0),
            )


@contextlib.contextmanager
def _serverless(folder: Path, peers: Peers) -> Iterator[str]:
    service = folder / "service"
    service.mkdir()
    program = peers.serverless()
    (service / "node_modules").symlink_to(program.parents[1])
    (service / "app.py").write_text(ECHO)
    (service / "serverless.yml").write_text(
        json.dumps(
            {
                "service": "bench",
                "frameworkVersion": "3",
                "provider": {"name": "aws", "runtime": host_runtime(), "region": "us-east-1"},
                "plugins": ["serverless-offline"],
                "functions": {_FUNCTION: {"handler": "app.handler"}},
            }
        )
    )
    port = free_port()
    command: list[str | Path] = [program, "offline", "start", "--host", "127.0.0.1"]
    command += ["--lambdaPort", str(port), "--httpPort", str(free_port())]
    log = folder / "serverless.log"
    with running(command, log=log, env=environment(), cwd=service):
        wait_for_port(port)
        end = time.monotonic() + 60.0
        while b"Server ready" not in log.read_bytes() and time.monotonic() < end:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/bench-dev-{_FUNCTION}/invocations"
