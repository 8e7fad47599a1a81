"""Extensions and their telemetry, over the engine in memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from lambdash.engines.protocol import SandboxExit
from lambdash.model import Crashed, InitFailed, Succeeded, TimedOut
from lambdash.testing import Crash, Hang
from tests.emulator.conftest import Rig, echo
from tests.emulator.extension import API, Extension, Listener, listening

MakeRig = Callable[..., Awaitable[Rig]]
INIT = ["platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone"]


async def extended(make_rig: MakeRig, handler: Any = echo, **settings: Any) -> Rig:
    """A rig whose environments begin with one extension."""
    rig = await make_rig(lambda: handler)
    rig.engine.extensions = ("watcher",)
    await rig.deploy(**settings)
    return rig


async def began(rig: Rig, number: int = 1) -> Extension:
    """The extension of the ``number``-th life, once it was started."""
    async with asyncio.timeout(10):
        while rig.engine.launches + rig.engine.resets < number or not rig.engine.sandboxes:
            await asyncio.sleep(0)
    return Extension(rig.engine)


def http(listener: Listener) -> dict[str, Any]:
    return {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{listener.port}/"}


QUICKLY = {"timeoutMs": 25}


async def test_the_runtime_starts_after_it_and_an_invocation_ends_with_it(
    make_rig: MakeRig,
) -> None:
    rig = await extended(make_rig)
    first = rig.begin(payload=b'{"n":1}')
    extension = await began(rig)
    assert (await extension.register("INVOKE", "SHUTDOWN")).document["functionName"] == "hello"
    assert not first.done()

    event = await extension.next()

    result = await asyncio.wait_for(first, 10)
    assert (event["eventType"], event["requestId"]) == ("INVOKE", result.request_id)
    assert result.outcome == Succeeded(b'{"n": 1}')
    second = rig.begin(payload=b'{"n":2}')
    event = await extension.next()
    assert event["requestId"] == (await asyncio.wait_for(second, 10)).request_id
    assert rig.engine.launches == 1


async def test_it_is_told_of_the_end(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    first = rig.begin()
    extension = await began(rig)
    await extension.register("INVOKE", "SHUTDOWN")
    await extension.next()
    await asyncio.wait_for(first, 10)
    waiting = asyncio.create_task(extension.next())
    (environment,) = rig.emulator.driver.environments.values()
    assert environment.stop_grace_s == 2.0
    await asyncio.sleep(0)
    rig.emulator.driver.remove("hello")
    event = await asyncio.wait_for(waiting, 10)
    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "spindown")


async def test_a_timeout_begins_a_new_life_with_it(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        if event.get("hang"):
            raise Hang
        return event

    rig = await extended(make_rig, handler, timeout_s=1)
    first = rig.begin(payload=b'{"hang":true}')
    extension = await began(rig)
    await extension.register("INVOKE", "SHUTDOWN")
    await extension.next()
    event = await asyncio.wait_for(extension.next(), 10)
    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "timeout")
    assert isinstance((await asyncio.wait_for(first, 10)).outcome, TimedOut)

    again = await began(rig, 2)
    await again.register("INVOKE")
    second = rig.begin()
    await again.next()
    assert (await asyncio.wait_for(second, 10)).outcome == Succeeded(b"{}")
    assert rig.engine.launches == 1


async def test_one_that_ends_fails_whoever_waits(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    first = rig.begin()
    await began(rig)
    (sandbox,) = rig.engine.sandboxes.values()
    sandbox.observer.extension_exited("watcher", SandboxExit(exit_code=1))
    outcome = (await asyncio.wait_for(first, 10)).outcome
    assert isinstance(outcome, InitFailed)
    told = json.loads(outcome.payload)
    assert told["errorType"] == "Extension.Crash"
    assert told["errorMessage"].endswith("Error: exit status 1")


async def test_one_that_ends_amid_an_invocation_fails_it(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        raise Hang

    rig = await extended(make_rig, handler)
    first = rig.begin()
    extension = await began(rig)
    await extension.register("INVOKE")
    await extension.next()
    (sandbox,) = rig.engine.sandboxes.values()
    sandbox.observer.extension_exited("watcher", SandboxExit(signal=9))
    outcome = (await asyncio.wait_for(first, 10)).outcome
    assert isinstance(outcome, Crashed)
    told = json.loads(outcome.payload)
    assert told["errorType"] == "Extension.Crash"
    assert told["errorMessage"].endswith("Error: signal: killed")


async def test_a_runtime_that_crashes_takes_it_along(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        raise Crash(exit_code=1)

    rig = await extended(make_rig, handler)
    first = rig.begin()
    extension = await began(rig)
    await extension.register("SHUTDOWN")
    event = await asyncio.wait_for(extension.next(), 10)
    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "failure")
    assert isinstance((await asyncio.wait_for(first, 10)).outcome, Crashed)


async def test_one_that_is_slow_after_the_answer_holds_up_the_next(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    first = rig.begin(payload=b'{"n":1}')
    extension = await began(rig)
    await extension.register("INVOKE")
    await extension.next()
    await asyncio.wait_for(first, 10)
    # the answer is there, the slot is not free: who may not wait is throttled or launches anew
    second = rig.begin(payload=b'{"n":2}')
    states = [view.state.value for view in rig.emulator.environments()]
    assert states[0] in ("responded", "invoking")
    event = await extension.next()
    assert event["eventType"] == "INVOKE"
    assert (await asyncio.wait_for(second, 10)).outcome == Succeeded(b'{"n": 2}')


async def test_one_that_reports_an_error_fails_the_invocation(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        raise Hang

    rig = await extended(make_rig, handler)
    first = rig.begin()
    extension = await began(rig)
    await extension.register("INVOKE")
    await extension.next()
    answer = await extension.ask(
        "POST", f"{API}/exit/error", {}, Lambda_Extension_Function_Error_Type="Fatal.Gone"
    )
    assert answer.status == 202
    outcome = (await asyncio.wait_for(first, 10)).outcome
    assert isinstance(outcome, Crashed)
    assert json.loads(outcome.payload)["errorType"] == "Extension.ExitError"


async def test_telemetry_comes_in_order(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        (sandbox,) = rig.engine.sandboxes.values()
        sandbox.print("hello\n")
        return event

    rig = await extended(make_rig, handler, memory_size_mb=256)
    async with listening() as listener:
        first = rig.begin(payload=b'{"n":1}')
        extension = await began(rig)
        await extension.register("INVOKE", "SHUTDOWN")
        types = ["platform", "function", "extension"]
        answer = await extension.subscribe(http(listener), types, buffering=QUICKLY)
        assert (answer.status, answer.body) == (200, b'"OK"')

        await extension.next()
        result = await asyncio.wait_for(first, 10)
        done = await listener.until("platform.runtimeDone")
        assert "platform.report" not in listener.kinds()
        waiting = asyncio.create_task(extension.next())
        records = await listener.until("platform.report")

        assert listener.kinds() == [
            *INIT,
            "platform.extension",
            "platform.initReport",
            "platform.start",
            "function",
            "platform.runtimeDone",
            "platform.report",
        ]
        by_type = {record["type"]: record["record"] for record in records}
        assert by_type["platform.initStart"]["phase"] == "init"
        assert by_type["platform.initStart"]["functionName"] == "hello"
        assert by_type["platform.telemetrySubscription"] == {
            "name": "watcher",
            "state": "Subscribed",
            "types": types,
        }
        assert by_type["platform.extension"] == {
            "name": "watcher",
            "state": "Ready",
            "events": ["INVOKE", "SHUTDOWN"],
        }
        assert by_type["platform.initReport"]["metrics"]["durationMs"] >= 0
        assert by_type["platform.start"]["requestId"] == result.request_id
        assert by_type["function"] == "hello"
        ended = by_type["platform.runtimeDone"]
        assert (ended["requestId"], ended["status"]) == (result.request_id, "success")
        assert ended["metrics"]["producedBytes"] == len('{"n": 1}')
        assert [span["name"] for span in ended["spans"]] == ["responseLatency"]
        report = by_type["platform.report"]
        assert (report["requestId"], report["status"]) == (result.request_id, "success")
        assert report["metrics"]["memorySizeMB"] == 256
        assert report["metrics"]["initDurationMs"] >= 0
        assert done == records[: len(done)]
        rig.emulator.driver.remove("hello")
        await asyncio.wait_for(waiting, 10)


async def test_a_timeout_is_told(make_rig: MakeRig) -> None:
    async def handler(event: Any) -> Any:
        raise Hang

    rig = await extended(make_rig, handler, timeout_s=1)
    async with listening() as listener:
        first = rig.begin()
        extension = await began(rig)
        await extension.register("INVOKE")
        await extension.subscribe(http(listener), ["platform"], buffering=QUICKLY)
        await extension.next()
        await asyncio.wait_for(first, 10)
        records = await listener.until("platform.report")
        ends = {record["type"]: record["record"].get("status") for record in records}
        assert ends["platform.runtimeDone"] == ends["platform.report"] == "timeout"


async def test_an_init_that_fails_is_told(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    async with listening() as listener:
        first = rig.begin()
        extension = await began(rig)
        await extension.register("INVOKE")
        await extension.subscribe(http(listener), ["platform"], buffering=QUICKLY)
        await listener.until("platform.initStart")
        answer = await extension.ask(
            "POST", f"{API}/init/error", {}, Lambda_Extension_Function_Error_Type="Fatal.Gone"
        )
        assert answer.status == 202
        await asyncio.wait_for(first, 10)
        records = await listener.until("platform.initReport")
        by_type = {record["type"]: record["record"] for record in records}
        assert by_type["platform.initReport"]["status"] == "error"
        assert by_type["platform.initReport"]["errorType"] == "Extension.InitError"
        assert by_type["platform.extension"]["errorType"] == "Fatal.Gone"


async def test_over_tcp_and_only_what_was_asked_for(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    async with listening(tcp=True) as listener:
        first = rig.begin()
        extension = await began(rig)
        await extension.register("INVOKE")
        (sandbox,) = rig.engine.sandboxes.values()
        sandbox.print("of the extension\n", "extension")
        destination = {"protocol": "TCP", "port": listener.port}
        await extension.subscribe(destination, ["extension"], buffering=QUICKLY)
        await extension.next()
        await asyncio.wait_for(first, 10)
        assert (await listener.until("extension"))[0]["record"] == "of the extension"
        assert set(listener.kinds()) == {"extension"}


async def test_a_subscriber_that_refuses_is_tried_again_and_misses_nothing(
    make_rig: MakeRig,
) -> None:
    rig = await extended(make_rig)
    async with listening() as listener:
        listener.refusing = 2
        first = rig.begin()
        extension = await began(rig)
        await extension.register("INVOKE")
        await extension.subscribe(http(listener), ["platform"], buffering=QUICKLY)
        await extension.next()
        await asyncio.wait_for(first, 10)
        await listener.until("platform.runtimeDone")
        assert listener.kinds()[:3] == INIT
        assert listener.posts >= 3


async def test_nobody_listens_and_nothing_waits_for_it(make_rig: MakeRig) -> None:
    rig = await extended(make_rig)
    first = rig.begin()
    extension = await began(rig)
    await extension.register("INVOKE")
    await extension.subscribe({"protocol": "TCP", "port": 1}, ["platform"])
    await extension.next()
    assert (await asyncio.wait_for(first, 10)).outcome == Succeeded(b"{}")


async def test_a_function_without_extensions_has_no_telemetry(rig: Rig) -> None:
    await rig.invoke()
    (environment,) = rig.emulator.driver.environments.values()
    assert environment.logs.listener is None
    assert environment.stop_grace_s == 0.0
