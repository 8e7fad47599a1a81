"""The engine in memory, held to the part of the engines' contract that concerns lives of processes.

Of ``tests/engines/test_contract.py`` these do not apply to it: what the function's shell sees (its
folder, variables of the machine, temporary files, harm to the package), memory limits and peaks, a
missing bootstrap, signals with a grace, and what a dead daemon left. It has no files, runs no
shell, and dies with its daemon. The order of marks, one exit a life, resets, stops, launches of
what was superseded, refused images and closing are the same promises, tested by the same names.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.protocol import Engine, PullPolicy, SandboxExit, SandboxSpec
from lambdash.errors import CallerError, PlatformError
from lambdash.model import DockerfileSource, FunctionConfiguration, Revision, ZipPackage
from lambdash.model.progress import silent
from lambdash.testing import Crash, FakeEngine, FakeSandbox, Handler, Hang
from tests.engines.contract import Running, ScriptedDaemon, _RuntimeConnection


class Kept(asyncio.Transport):
    """A connection that outlives an answer: the fake runtime keeps its one, as real clients do."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self._inner = inner

    def write(self, data: Any) -> None:
        self._inner.write(data)

    def close(self) -> None:
        """Left to the runtime."""


class KeptConnection(_RuntimeConnection):
    """Requests come one at a time and small, so each arrives in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(Kept(transport))

    def data_received(self, data: bytes) -> None:
        self._received = b""
        super().data_received(data)

    def eof_received(self) -> bool:
        return False


class Daemon(ScriptedDaemon):
    def runtime_connection(self) -> asyncio.Protocol:
        return KeptConnection(self)


async def launched(
    engine: FakeEngine, spec: SandboxSpec, environment_id: str = "e1", **variables: str
) -> Running:
    daemon = Daemon()
    prepared = await engine.prepare(spec, silent)
    sandbox = await engine.launch(prepared, environment_id, tuple(variables.items()), daemon)
    daemon.sandbox = sandbox
    return Running(engine, sandbox, daemon)


def make_handler() -> Handler:
    """Evaluates a payload as the contract's shell does: counts, exits, hangs, raises."""
    count = 0

    async def handler(event: Any) -> Any:
        nonlocal count
        count += 1
        if "exit" in event:
            raise Crash(exit_code=event["exit"])
        if "signal" in event:
            raise Crash(signal=event["signal"])
        if "hang" in event:
            raise Hang
        if "raise" in event:
            raise ValueError(event["raise"])
        return count

    return handler


def specification(code: str = "1") -> SandboxSpec:
    configuration = FunctionConfiguration("contract", "provided.al2023", "unused")
    return SandboxSpec(Revision(configuration, ZipPackage(code, 1)), Path())


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    engine = FakeEngine(make_handler)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
async def running(engine: FakeEngine) -> Running:
    return await launched(engine, specification(), STAGE="contract")


async def invoke(running: Running, **event: Any) -> Any:
    return json.loads(await running.daemon.invoke(json.dumps(event)))


async def send(running: Running, **event: Any) -> None:
    await running.daemon.send(json.dumps(event))


def test_it_is_an_engine() -> None:
    engine: Engine = FakeEngine(make_handler)
    assert not engine.capabilities.isolation
    assert not engine.capabilities.images
    assert not engine.capabilities.memory_limit


async def test_a_launch_leads_to_the_first_next(running: Running) -> None:
    await running.daemon.until(lambda: bool(running.daemon.parked))
    marks = running.daemon.marks
    order = ["network_ready", "created", "started", "runtime_started"]
    assert [marks[name] for name in order] == sorted(marks[name] for name in order)
    assert marks.keys() == set(order)
    assert running.sandbox.id


async def test_variables_are_the_functions(running: Running) -> None:
    assert isinstance(running.sandbox, FakeSandbox)
    assert running.sandbox.variables == {"STAGE": "contract"}


async def test_one_runtime_serves_many_invocations(running: Running) -> None:
    assert [await invoke(running) for _ in range(3)] == [1, 2, 3]
    assert running.daemon.exits == []


async def test_an_error_is_posted(running: Running) -> None:
    assert await invoke(running, **{"raise": "no"}) == {
        "errorMessage": "no",
        "errorType": "ValueError",
    }


async def test_output_is_there_when_the_answer_is(running: Running) -> None:
    assert isinstance(running.sandbox, FakeSandbox)
    running.sandbox.print("out\n")
    running.sandbox.print("err\n", "stderr")
    assert running.daemon.written == {"stdout": b"out\n", "stderr": b"err\n", "extension": b""}


@pytest.mark.parametrize("end", [{"exit": 0}, {"exit": 3}, {"signal": 9}, {"signal": 11}])
async def test_an_exit_is_told_once(running: Running, end: dict[str, int]) -> None:
    await send(running, **end)
    ended = await running.daemon.exit()
    assert (ended.exit_code, ended.signal) == (end.get("exit"), end.get("signal"))
    assert not ended.out_of_memory
    assert not ended.sandbox_lost
    assert len(running.daemon.exits) == 1


async def test_a_reset_keeps_nothing_of_the_process(running: Running) -> None:
    await send(running, hang=True)
    await running.engine.reset(running.sandbox)
    assert await invoke(running) == 1
    assert running.daemon.exits == []


async def test_a_runtime_that_ended_can_be_reset(running: Running) -> None:
    await send(running, exit=1)
    await running.daemon.exit()
    await running.engine.reset(running.sandbox)
    assert await invoke(running) == 1


async def test_stop_is_no_exit_and_can_be_repeated(engine: FakeEngine, running: Running) -> None:
    await send(running, hang=True)
    for _ in range(2):
        await engine.stop(running.sandbox, 0)
    assert running.daemon.exits == []
    assert engine.sandboxes == {}


async def test_a_superseded_revision_still_launches(engine: FakeEngine) -> None:
    old = await engine.prepare(specification("old"), silent)
    await launched(engine, specification("new"), "e1")
    daemon = Daemon()
    sandbox = await engine.launch(old, "e2", (), daemon)
    await daemon.until(lambda: bool(daemon.parked))
    assert (old.revision_id, sandbox.id != "") == (specification("old").revision.id, True)


async def test_images_are_refused_by_name(engine: FakeEngine) -> None:
    source = DockerfileSource(Path("/c"), Path("/c/Dockerfile"))
    for refused in (
        engine.resolve_image("shop/orders:1", PullPolicy.MISSING, silent),
        engine.build_image("orders", source, silent),
        engine.build_from_host("python3.13", "x86_64", silent),
    ):
        with pytest.raises(CallerError) as raised:
            await refused
        assert raised.value.code == "image-needs-engine"


async def test_extensions_come_before_the_runtime(engine: FakeEngine) -> None:
    engine.extensions = ("one", "two")
    running = await launched(engine, specification())
    assert running.daemon.extensions == [("one", "two")]
    assert "runtime_started" not in running.daemon.marks
    await engine.start_runtime(running.sandbox)
    assert await invoke(running) == 1
    await engine.reset(running.sandbox, 1.0)
    assert running.daemon.extensions == [("one", "two")] * 2
    await engine.start_runtime(running.sandbox)
    assert await invoke(running) == 1


async def test_nobody_listens_in_the_sandbox(engine: FakeEngine, running: Running) -> None:
    with pytest.raises(PlatformError) as refused:
        await engine.connect(running.sandbox, 4243, asyncio.Protocol)
    assert refused.value.code == "sandbox-refused"


async def test_close_stops_everything(engine: FakeEngine, running: Running) -> None:
    await running.daemon.until(lambda: bool(running.daemon.parked))
    await engine.close()
    assert engine.sandboxes == {}
    await running.daemon.until(lambda: not running.daemon.parked)
    assert running.daemon.exits == []


async def test_failures_on_request(engine: FakeEngine) -> None:
    engine.launch_error = PlatformError("no-space", "the disk is full")
    with pytest.raises(PlatformError):
        await launched(engine, specification())
    assert engine.sandboxes == {}
    engine.launch_error, engine.init_exit = None, SandboxExit(exit_code=5)
    running = await launched(engine, specification())
    assert (await running.daemon.exit()).exit_code == 5
    assert running.daemon.parked == []


async def test_it_counts_what_it_was_asked(engine: FakeEngine, running: Running) -> None:
    await engine.reset(running.sandbox)
    await engine.stop(running.sandbox, 0)
    assert (engine.launches, engine.resets, engine.calls) == (1, 1, 5)
