"""Hot reload under load: no request fails, none meets old code after the reload was told."""

import json
import queue
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from tests.integration.endpoint import Answer, Caller
from tests.integration.project import Project

_WAIT_S = 40.0


class Lines:
    """The lines of a running command, as they come."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: queue.Queue[tuple[float, str]] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,))
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._lines.put((time.monotonic(), line.decode().rstrip("\n")))
        stream.close()

    def await_match(self, pattern: str) -> tuple[float, str]:
        """The next line that matches, and when it was read."""
        deadline = time.monotonic() + _WAIT_S
        seen = []
        while True:
            try:
                at, line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line like {pattern!r} in {seen}") from None
            if re.search(pattern, line):
                return at, line
            seen.append(line)

    def join(self) -> None:
        self._thread.join()


class Load:
    """A steady load of one function: (sent at, answer) of every request."""

    def __init__(self, endpoint: str, function: str, callers: int) -> None:
        self.answers: list[tuple[float, Answer]] = []
        self.failures: list[Exception] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(endpoint, function)) for _ in range(callers)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, endpoint: str, function: str) -> None:
        with Caller(endpoint) as caller:
            while not self._ended.wait(0.01):
                sent_at = time.monotonic()
                try:
                    answer = caller.invoke(function, b"{}")
                except Exception as error:
                    self.failures.append(error)
                    return
                self.answers.append((sent_at, answer))


@contextmanager
def _dev(project: Project, *words: str) -> Iterator[tuple[Lines, Lines]]:
    """``lambdash dev``, its stdout and its stderr; ended as by Ctrl-C."""
    process = project.popen("dev", *words)
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = Lines(process.stdout), Lines(process.stderr)
    try:
        yield out, err
        process.send_signal(signal.SIGINT)
        assert process.wait(_WAIT_S) == 130
    finally:
        process.kill()
        process.wait()
        out.join()
        err.join()


def _source(version: int) -> str:
    return f"def handler(event, context):\n    print('is {version}')\n    return {version}\n"


@pytest.fixture
def edited(project: Project) -> Project:
    project.describe({"edited": {"memory_size": 128}})
    project.write({"edited/app.py": _source(0)})
    project.succeed("deploy")
    return project


def test_edits_under_load_cost_no_request(edited: Project) -> None:
    endpoint = edited.status()["endpoint"]
    reloads: list[tuple[float, int]] = []
    with _dev(edited, "--json") as (events, talk):
        talk.await_match("watching edited")
        with Load(endpoint, "edited", 3) as load:
            _await_answers_after(load, time.monotonic(), 3)  # of version 0, warm
            for version in (1, 2):
                edited.write({"edited/app.py": _source(version)})
                reloads.append((events.await_match('"reload"')[0], version))

            edited.write({"edited/app.py": "def handler(event, context:\n"})
            at, line = events.await_match('"reload_failed"')
            _assert_told(json.loads(line))
            _await_answers_after(load, at, 10)

            edited.write({"edited/app.py": _source(3)})
            reloads.append((events.await_match('"reload"')[0], 3))
            _await_answers_after(load, reloads[-1][0], 10)
            events.await_match('"log".*is 3')

    assert load.failures == []
    assert {answer.status for _, answer in load.answers} == {200}
    assert not [answer for _, answer in load.answers if "x-amz-function-error" in answer.headers]
    answered = [(sent_at, answer.document) for sent_at, answer in load.answers]
    for ready_at, version in reloads:
        old = [found for sent_at, found in answered if sent_at > ready_at and found < version]
        assert old == [], f"old code after version {version} was ready"
    assert {found for _, found in answered} == {0, 1, 2, 3}


def _assert_told(event: dict[str, Any]) -> None:
    assert event["function"] == "edited"
    assert "SyntaxError" in event["error"]["message"]
    assert event["error"]["code"]
    assert event["error"]["hint"]


def _await_answers_after(load: Load, at: float, count: int) -> None:
    deadline = time.monotonic() + _WAIT_S
    while sum(sent_at > at for sent_at, _ in list(load.answers)) < count:
        assert not load.failures
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_dev_says_in_a_line_what_became_of_an_edit(edited: Project) -> None:
    with _dev(edited) as (out, err):
        err.await_match("watching edited")
        edited.write({"edited/app.py": _source(1)})
        out.await_match(r"^edited  edit -> ready [\d.]+ m?s$")
        edited.write({"edited/app.py": "import nothing_of_this_name\n"})
        told = out.await_match(r"^edited  edit failed, the last good code stays: ")[1]
        assert "nothing_of_this_name" in told
        answer = edited.run("invoke", "edited")
        assert answer.code == 1, "invoke never silently answers from old code"
