"""The data plane: the whole product against cargo-lambda, one C stub playing the runtime of both.

Both run the same number of runtime processes. cargo-lambda is measured as is best for it: its stub
acknowledges at once (it writes head and body apart, with Nagle's algorithm on), and at concurrency
1 the better of wrk and a client that acknowledges at once counts.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, Rounds, Target, ratio
from load import Load, LoadFailed, raw_client, wrk
from options import Options
from peers import environment
from processes import free_port, running, wait_for_port
from project import Project, invoke_path, project

_STUB = Path(__file__).with_name("stub_runtime.c")
_CONCURRENCY = (1, 8, 32)
_FUNCTION = "stub"


def measure(options: Options) -> Iterator[Figure]:
    """Throughput and median latency at each concurrency."""
    with tempfile.TemporaryDirectory(prefix="lambdash-bench-") as folder:
        stub = build_stub(Path(folder))
        for concurrency in _CONCURRENCY:
            yield from _at(concurrency, stub, Path(folder), options)


def build_stub(folder: Path) -> Path:
    """Compile the stub runtime."""
    program = folder / "stub_runtime"
    subprocess.run(["cc", "-O2", "-o", str(program), str(_STUB)], check=True)
    return program


@contextlib.contextmanager
def stubbed_project(stub: Path, environments: int) -> Iterator[Project]:
    """A deployed function whose runtime is the stub, on the process engine."""
    with project("process") as found:
        bootstrap = found.folder / "code" / "bootstrap"
        bootstrap.parent.mkdir()
        bootstrap.write_bytes(stub.read_bytes())
        bootstrap.chmod(0o755)
        found.manifest(
            {
                _FUNCTION: {
                    "code": "./code",
                    "runtime": "provided.al2023",
                    "max_environments": environments,
                }
            }
        )
        found.invoke(_FUNCTION)
        yield found


@contextlib.contextmanager
def _cargo_lambda(stub: Path, processes: int, folder: Path, options: Options) -> Iterator[str]:
    """Its watch server with the Lambda APIs only, and stubs polling; gives the invoke URL."""
    port = free_port()
    package = folder / "cargo"
    (package / "src").mkdir(parents=True, exist_ok=True)
    (package / "Cargo.toml").write_text(
        f'[package]\nname = "{_FUNCTION}"\nversion = "0.1.0"\nedition = "2021"\n'
    )
    (package / "src" / "main.rs").write_text("fn main() {}\n")
    command: list[str | Path] = [options.peers.cargo_lambda(), "lambda", "watch"]
    command += ["--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)]
    log = folder / "cargo-lambda.log"
    polling = {
        **environment(),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}/.rt/{_FUNCTION}",
        "STUB_QUICKACK": "1",
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(command, log=log, env=environment(), cwd=package))
        wait_for_port(port)
        for _ in range(processes):
            stack.enter_context(running([stub], log=log, env=polling))
        url = f"http://127.0.0.1:{port}{invoke_path(_FUNCTION)}"
        _wait_for_answer(url)
        yield url


def _wait_for_answer(url: str) -> None:
    end = time.monotonic() + 20.0
    while True:
        try:
            with raw_client(url) as client:
                client.call()
            return
        except (LoadFailed, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _at(concurrency: int, stub: Path, folder: Path, options: Options) -> list[Figure]:
    throughput, latency = Rounds(), Rounds()
    with (
        stubbed_project(stub, concurrency) as ours,
        _cargo_lambda(stub, concurrency, folder, options) as peer_url,
    ):
        urls = {"ours": ours.url(_FUNCTION), "theirs": peer_url}
        for url in urls.values():
            wrk(url, concurrency, 1.0)
        for number in range(options.repeat):
            order = list(urls.items())
            for side, url in order if number % 2 == 0 else reversed(order):
                loads = [wrk(url, concurrency, options.seconds)]
                if concurrency == 1 and side == "theirs":
                    loads.append(_raw(url, options.seconds))
                throughput.add(side, max(load.per_second for load in loads))
                latency.add(side, min(load.p50_us for load in loads))
    name = f"data_plane c={concurrency}"
    most = ratio(at_least=2.0) if concurrency > 1 else None
    least = ratio(at_most=1.0) if concurrency == 1 else None
    return [
        _figure(f"{name} invocations", "1/s", throughput, most),
        _figure(f"{name} p50", "us", latency, least),
    ]


def _figure(name: str, unit: str, rounds: Rounds, target: Target | None) -> Figure:
    return Figure(name, unit, rounds["ours"], "cargo-lambda", rounds["theirs"], target)


def _raw(url: str, seconds: float) -> Load:
    """One connection that acknowledges at once."""
    with raw_client(url) as client:
        begin = time.monotonic()
        taken_s = []
        while time.monotonic() - begin < seconds:
            taken_s.append(client.call()[0])
        elapsed_s = time.monotonic() - begin
    cuts = statistics.quantiles(taken_s, n=100)
    return Load(len(taken_s) / elapsed_s, cuts[49] * 1e6, cuts[98] * 1e6)
