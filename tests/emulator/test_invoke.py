"""One invocation from its arrival to the journal, over the engine in memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambdash.engines.protocol import SandboxExit
from lambdash.errors import CallerError, PlatformError
from lambdash.model import (
    Crashed,
    FunctionFailed,
    InitFailed,
    PlatformFailed,
    Scaling,
    Succeeded,
    Throttled,
    TimedOut,
    Timings,
    error_document,
)
from lambdash.storage.journal import Journal, LineQuery
from lambdash.testing import Crash, Handler, Hang
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]


def counting() -> Handler:
    """A handler whose globals count what this life of the runtime process has served."""
    count = 0

    async def handler(event: Any) -> Any:
        nonlocal count
        count += 1
        if event.get("hang"):
            raise Hang
        if event.get("exit") is not None:
            raise Crash(exit_code=event["exit"])
        if event.get("signal"):
            raise Crash(signal=event["signal"])
        if event.get("raise"):
            raise ValueError(event["raise"])
        return {"count": count}

    return handler


async def test_first_cold_then_warm(rig: Rig) -> None:
    first = await rig.invoke(payload=b'{"a":1}')
    second = await rig.invoke(payload=b'{"a":2}')
    assert first.outcome == Succeeded(b'{"a": 1}')
    assert (first.start, second.start) == ("cold", "warm")
    assert first.environment_id == second.environment_id
    assert rig.engine.launches == 1


async def test_no_engine_call_when_warm(rig: Rig) -> None:
    await rig.invoke()
    before = rig.engine.calls
    for _ in range(20):
        await rig.invoke()
    assert rig.engine.calls == before


async def test_an_environment_each_in_flight(make_rig: MakeRig) -> None:
    gate = asyncio.Event()

    async def waiting(event: Any) -> Any:
        await gate.wait()
        return event

    rig = await make_rig(lambda: waiting)
    await rig.deploy(scaling=Scaling(max_environments=4))
    results = [rig.begin(payload=json.dumps(n).encode()) for n in range(10)]
    while rig.engine.launches < 4:
        await asyncio.sleep(0)
    gate.set()
    answers = [(await asyncio.wait_for(result, 10)).outcome for result in results]
    assert answers == [Succeeded(str(n).encode()) for n in range(10)]
    assert rig.engine.launches == 4


async def test_cold_asks_for_a_fresh_environment(rig: Rig) -> None:
    warm = await rig.invoke()
    cold = await rig.invoke(cold=True)
    assert cold.start == "cold"
    assert cold.environment_id != warm.environment_id


async def test_a_raised_error_is_the_functions(make_rig: MakeRig) -> None:
    rig = await make_rig(counting)
    await rig.deploy()
    result = await rig.invoke(payload=b'{"raise": "no"}')
    assert isinstance(result.outcome, FunctionFailed)
    assert json.loads(result.outcome.payload) == {"errorMessage": "no", "errorType": "ValueError"}
    assert (await rig.invoke()).outcome == Succeeded(b'{"count": 2}')


# Texts: facts recorded from AWS, the table of "Errors and payloads"
@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"exit": 1}, "Runtime exited with error: exit status 1"),
        ({"signal": 9}, "Runtime exited with error: signal: killed"),
        ({"signal": 11}, "Runtime exited with error: signal: segmentation fault"),
    ],
)
async def test_a_dead_runtime_process(make_rig: MakeRig, event: Any, text: str) -> None:
    rig = await make_rig(counting)
    await rig.deploy()
    result = await rig.invoke(payload=json.dumps(event).encode())
    assert isinstance(result.outcome, Crashed)
    assert json.loads(result.outcome.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {text}",
    }
    after = await rig.invoke()
    assert after.outcome == Succeeded(b'{"count": 1}')
    assert after.environment_id != result.environment_id


async def test_a_timeout_resets_the_runtime_and_keeps_the_environment(make_rig: MakeRig) -> None:
    rig = await make_rig(counting)
    await rig.deploy(timeout_s=1)
    await rig.invoke()
    result = await rig.invoke(payload=b'{"hang": true}')
    assert isinstance(result.outcome, TimedOut)
    assert json.loads(result.outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds",
    }
    after = await rig.invoke()
    assert after.outcome == Succeeded(b'{"count": 1}'), "globals are lost"
    assert after.environment_id == result.environment_id
    assert (rig.engine.launches, rig.engine.resets) == (1, 1)


async def test_a_launch_that_fails_is_the_platforms(make_rig: MakeRig) -> None:
    rig = await make_rig()
    await rig.deploy()
    rig.engine.launch_error = PlatformError("no-space", "the disk is full", "free some")
    result = await rig.invoke()
    assert result.outcome == PlatformFailed("no-space", "the disk is full", "free some")
    rig.engine.launch_error = None
    assert isinstance((await rig.invoke()).outcome, Succeeded)


async def test_throttled_by_reserved_concurrency(make_rig: MakeRig) -> None:
    rig = await make_rig()
    await rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))
    result = await rig.invoke()
    assert result.outcome == Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
    assert rig.engine.launches == 0


async def test_an_unknown_function(rig: Rig) -> None:
    with pytest.raises(CallerError) as raised:
        rig.begin("nobody")
    assert raised.value.code == "function-not-found"


async def test_who_waits_fails_when_the_daemon_stops(make_rig: MakeRig) -> None:
    rig = await make_rig(counting)
    await rig.deploy(scaling=Scaling(max_environments=1))
    flying = rig.begin(payload=b'{"hang": true}')
    waiting = rig.begin()
    await rig.emulator.driver.close()
    for result in (await flying, await waiting):
        assert isinstance(result.outcome, PlatformFailed)
        assert result.outcome.code == "shutdown"


async def test_a_caller_that_went_leaves_the_queue(make_rig: MakeRig) -> None:
    rig = await make_rig(counting)
    await rig.deploy(timeout_s=1, scaling=Scaling(max_environments=1))
    flying = rig.begin(payload=b'{"hang": true}')
    gone = rig.begin()
    served = rig.begin()
    while len(rig.emulator.driver.waiting("hello")) != 2:
        await asyncio.sleep(0)
    rig.emulator.caller_gone(rig.emulator.driver.waiting("hello")[0])
    assert isinstance((await asyncio.wait_for(flying, 10)).outcome, TimedOut)
    assert (await asyncio.wait_for(served, 10)).outcome == Succeeded(b'{"count": 1}')
    assert not gone.done()


async def test_the_journal_has_every_invocation(make_rig: MakeRig) -> None:
    rig = await make_rig(counting)
    await rig.deploy()
    cold = await rig.invoke()
    warm = await rig.invoke()
    failed = await rig.invoke(payload=b'{"exit": 1}')
    await asyncio.sleep(0)
    entries = await rig.emulator.journal.read(lambda journal: journal.recent(10))
    assert {entry.request_id: (entry.outcome, entry.start) for entry in entries} == {
        cold.request_id: ("succeeded", "cold"),
        warm.request_id: ("succeeded", "warm"),
        failed.request_id: ("crashed", "warm"),
    }
    first = await rig.emulator.journal.read(lambda journal: journal.entry(cold.request_id))
    assert first is not None
    names = list(first.marks)
    assert names == sorted(names, key=lambda name: first.marks[name])
    assert {"received", "assigned", "first_next", "dispatched", "responded", "next"} <= set(names)


async def test_output_belongs_to_its_invocation(make_rig: MakeRig) -> None:
    rig = await make_rig()

    async def printing(event: Any) -> Any:
        sandbox = next(iter(rig.engine.sandboxes.values()))
        sandbox.print(f"line {event}\nrest")
        return event

    rig.engine.make_handler = lambda: printing
    await rig.deploy()
    await rig.invoke(payload=b"1")
    result = await rig.invoke(payload=b"2", tail=True)
    assert result.log_tail is not None
    start, *written, end, report = result.log_tail.decode().splitlines()
    assert start == f"START RequestId: {result.request_id} Version: $LATEST"
    assert written == ["line 2", "rest"]
    assert end == f"END RequestId: {result.request_id}"
    assert report.startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")
    query = LineQuery(request_id=result.request_id)

    def lines(journal: Journal) -> list[str]:
        return [line.text for line in journal.log_lines(10, query)]

    while len(found := await rig.emulator.journal.read(lines)) < 2:
        await asyncio.sleep(0)
    assert found == ["line 2", "rest"]


async def test_an_init_that_dies_fails_one_invocation_and_is_not_relaunched(
    make_rig: MakeRig,
) -> None:
    rig = await make_rig()
    rig.engine.init_exit = SandboxExit(exit_code=1)
    await rig.deploy()
    result = await rig.invoke()
    assert result.outcome == InitFailed(
        error_document(
            "Runtime.ExitError",
            f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 1",
        ),
        exited=True,
    )
    assert rig.engine.launches == 1
    rig.engine.init_exit = None
    assert (await rig.invoke()).start == "cold"


async def test_a_launch_older_than_the_build_it_is_waited_for_with_counts_once(
    make_rig: MakeRig,
) -> None:
    """Another caller's launch was under way while this one's function was still being built."""
    rig = await make_rig()
    await rig.deploy()
    loop = asyncio.get_running_loop()
    now = loop.time()
    late = Timings(received=now, resolved=now + 50, packaged=now + 60, image_ready=now + 70)
    result = await rig.invoke(timings=late)
    assert result.start == "warm", "it was there before this caller came to the pool"
    assert result.timings.assigned is None
