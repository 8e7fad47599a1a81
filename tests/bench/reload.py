"""Hot reload: ``lambdash dev``, from the edit to the new environment being ready, and answering."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from typing import Any

from figures import Figure, Rounds
from load import RawClient, raw_client
from options import Options
from project import Project, project
from runtimes import host_runtime

_HANDLER = "def handler(event, context):\n    return {edition}\n"
_QUIET_S = 0.5
_PATIENCE_S = 30.0


def measure(options: Options) -> list[Figure]:
    """Both engines; a caller keeps asking all the while."""
    return [figure for engine in ("process", "docker") for figure in _engine(engine, options)]


def _engine(engine: str, options: Options) -> list[Figure]:
    rounds = Rounds()
    with project(engine) as ours:
        ours.write("code/app.py", _HANDLER.format(edition=0))
        function = {"code": "./code", "handler": "app.handler", "runtime": host_runtime()}
        ours.manifest({"hello": function})
        ours.invoke("hello")
        with _Dev(ours) as dev, raw_client(ours.url("hello")) as caller:
            for edition in range(1, options.repeat + 1):
                time.sleep(_QUIET_S)
                begin = time.monotonic()
                ours.write("code/app.py", _HANDLER.format(edition=edition))
                answers_ms = _until_answered(caller, edition, begin)
                event = dev.reloaded()
                rounds.add("told", float(event["ready_ms"]))
                rounds.add("answers", answers_ms)
    name = f"reload {engine}: edit -> "
    return [
        Figure(f"{name}ready, as dev says", "ms", rounds["told"]),
        Figure(f"{name}new code answers a caller", "ms", rounds["answers"]),
    ]


def _until_answered(caller: RawClient, edition: int, begin: float) -> float:
    """Milliseconds until the new code answers; every request in between must succeed."""
    while time.monotonic() - begin < _PATIENCE_S:
        body = caller.call()[2]
        if json.loads(body) == edition:
            return (time.monotonic() - begin) * 1000
        time.sleep(0.002)
    raise TimeoutError(f"edition {edition} does not answer")


class _Dev:
    """``lambdash dev --json`` beside the benchmark."""

    def __init__(self, ours: Project) -> None:
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            ours.command("dev", "--json"),
            cwd=ours.folder,
            env=ours.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> _Dev:
        time.sleep(2.0)  # it says nothing when it begins to watch
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def reloaded(self) -> dict[str, Any]:
        """The next reload; raises when it failed, or when none comes."""
        while True:
            event = self._events.get(timeout=_PATIENCE_S)
            if event.get("event") == "reload_failed":
                raise RuntimeError(f"the reload failed: {event}")
            if event.get("event") == "reload":
                return event

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))
