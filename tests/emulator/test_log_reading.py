"""The log of real turns, over the engine in memory: what stands in it, and in which order.

The lines are those of logs recorded from AWS (text), and those of
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html (JSON).
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lambdash.emulator.log_reading import LogQuery, read_log
from lambdash.emulator.log_stream import LogStream
from lambdash.engines.protocol import SandboxExit
from lambdash.errors import PlatformError
from lambdash.model import LoggingConfig, Timings
from lambdash.runtime_api.platform_records import Subject
from lambdash.storage.journal import InvocationRow, Journal, LineQuery, LogLine, LogRow
from lambdash.testing import Crash, Hang
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]
FIGURES = re.compile(r"\d+\.\d\d ms|(?<=Billed Duration: )\d+ ms|[0-9a-f]{64}")


async def log(rig: Rig, **asked: Any) -> list[LogLine]:
    limit = asked.pop("limit", 100)
    query = LogQuery(LineQuery(**asked), limit)
    return await rig.emulator.journal.read(partial(read_log, query=query))


def shown(lines: list[LogLine], *request_ids: str) -> list[str]:
    """Texts with figures and ids that differ between runs made alike."""
    texts = []
    for line in lines:
        text = FIGURES.sub("N", line.text)
        for number, request_id in enumerate(request_ids):
            text = text.replace(request_id, f"<{number}>")
        texts.append(text)
    return texts


def talking(rig: Rig) -> None:
    async def handler(event: Any) -> Any:
        sandbox = list(rig.engine.sandboxes.values())[-1]
        if event == "crash":
            raise Crash(exit_code=3)
        if event == "hang":
            raise Hang
        sandbox.print(f"said {event}\nrest")
        return event

    rig.engine.make_handler = lambda: handler


async def test_two_turns(make_rig: MakeRig) -> None:
    rig = await make_rig()
    talking(rig)
    await rig.deploy(runtime="python3.13")
    ids = [(await rig.invoke(payload=payload)).request_id for payload in (b"1", b"2")]
    sandbox = next(iter(rig.engine.sandboxes.values()))
    await _settled(rig)
    sandbox.print("between\n")
    lines = await log(rig)
    assert shown(lines, *ids) == [
        "INIT_START Runtime Version: python:3.13.v0\t"
        "Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:N",
        "START RequestId: <0> Version: $LATEST",
        "said 1",
        "rest",
        "END RequestId: <0>",
        "REPORT RequestId: <0>\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\t"
        "Init Duration: N\t",
        "START RequestId: <1> Version: $LATEST",
        "said 2",
        "rest",
        "END RequestId: <1>",
        "REPORT RequestId: <1>\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\t",
        "between",
    ]
    assert [line.request_id for line in lines] == [None, *[ids[0]] * 5, *[ids[1]] * 5, None]
    times = [line.at for line in lines]
    assert max(times) - min(times) < 10
    assert len({line.id for line in lines}) == len(lines)


async def test_what_is_asked_for(make_rig: MakeRig) -> None:
    rig = await make_rig()
    talking(rig)
    await rig.deploy()
    await rig.deploy("other")
    ids = [(await rig.invoke(payload=payload)).request_id for payload in (b"1", b"2")]
    await rig.invoke("other", b"3")
    await _settled(rig)
    assert {line.function for line in await log(rig, function="other")} == {"other"}
    own = await log(rig, request_id=ids[1])
    assert {line.request_id for line in own} == {ids[1]}
    assert [line.text.split(" ")[0] for line in own] == ["START", "said", "rest", "END", "REPORT"]
    assert [line.text.split(" ")[0] for line in await log(rig, limit=2)] == ["END", "REPORT"]
    assert await log(rig, since=own[-1].at + 1000) == []
    first = await log(rig, environments={own[0].environment}, until=own[0].at)
    assert {line.request_id for line in first} <= {None, ids[0]}
    keep = LogQuery(keep=lambda text: "REPORT" in text)
    assert len(await rig.emulator.journal.read(partial(read_log, query=keep))) == 3


async def test_a_crash_says_why(make_rig: MakeRig) -> None:
    rig = await make_rig()
    talking(rig)
    await rig.deploy()
    result = await rig.invoke(payload=b'"crash"')
    lines = await log(rig, request_id=result.request_id)
    assert shown(lines, result.request_id) == [
        "START RequestId: <0> Version: $LATEST",
        "RequestId: <0> Error: Runtime exited with error: exit status 3\nRuntime.ExitError",
        "END RequestId: <0>",
        "REPORT RequestId: <0>\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\t"
        "Init Duration: N\tStatus: error\tError Type: Runtime.ExitError",
    ]
    tail = (result.log_tail or b"").decode()
    assert tail.splitlines()[-1].endswith("Status: error\tError Type: Runtime.ExitError")


async def test_a_timeout_says_so(make_rig: MakeRig) -> None:
    rig = await make_rig()
    talking(rig)
    await rig.deploy(timeout_s=1)
    result = await rig.invoke(payload=b'"hang"')
    lines = await log(rig, request_id=result.request_id)
    *_, fault, end, report = shown(lines, result.request_id)
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(f"{moment} <0> Task timed out after 1.00 seconds\n", fault)
    assert end == "END RequestId: <0>"
    assert report.endswith("\tStatus: timeout")
    assert "\tDuration: 1000.00 ms\t" in lines[-1].text


async def test_an_init_that_fails(make_rig: MakeRig) -> None:
    rig = await make_rig()
    rig.engine.init_exit = SandboxExit(exit_code=1, max_memory_bytes=30 * 1024 * 1024 + 1)
    await rig.deploy(runtime="python3.13")
    result = await rig.invoke()
    lines = await log(rig)
    assert shown(lines, result.request_id) == [
        "INIT_START Runtime Version: python:3.13.v0\t"
        "Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:N",
        "INIT_REPORT Init Duration: N\tPhase: init\tStatus: error\tError Type: Runtime.ExitError",
        "START RequestId: <0> Version: $LATEST",
        "RequestId: <0> Error: Runtime exited with error: exit status 1\nRuntime.ExitError",
        "END RequestId: <0>",
        "REPORT RequestId: <0>\tDuration: N\tBilled Duration: N\tMemory Size: 128 MB\t"
        "Max Memory Used: 31 MB\tStatus: error\tError Type: Runtime.ExitError",
    ]
    assert (result.log_tail or b"").decode().split("\n")[1].startswith("INIT_REPORT")


async def test_what_no_environment_had_is_in_no_log(make_rig: MakeRig) -> None:
    rig = await make_rig()
    await rig.deploy()
    rig.engine.launch_error = PlatformError("engine-broken", "it is")
    result = await rig.invoke()
    assert (result.outcome.kind, result.log_tail) == ("platform_failed", None)
    assert [line for line in await log(rig) if line.request_id] == []


@pytest.mark.parametrize(
    ("system", "types"),
    [
        ("WARN", []),
        ("INFO", ["initStart", "start", "report"]),
        (
            "DEBUG",
            [
                "initStart",
                "initRuntimeDone",
                "initReport",
                "start",
                "runtimeDone",
                "report",
            ],
        ),
    ],
)
async def test_json(make_rig: MakeRig, system: str, types: list[str]) -> None:
    rig = await make_rig()
    await rig.deploy(runtime="python3.13", logging=LoggingConfig("JSON", system_log_level=system))
    result = await rig.invoke(tail=True)
    await _settled(rig)
    records = [json.loads(line.text) for line in await log(rig)]
    assert [record["type"] for record in records] == [f"platform.{name}" for name in types]
    tail = [json.loads(line)["type"] for line in (result.log_tail or b"").decode().splitlines()]
    assert tail == [f"platform.{name}" for name in types if not name.startswith("init")]
    if types:
        report = records[-1]["record"]
        assert report["requestId"] == result.request_id
        assert report["metrics"].keys() == {
            "durationMs",
            "billedDurationMs",
            "memorySizeMB",
            "initDurationMs",
        }
        assert report["status"] == "success"


AT = '"timestamp": "2026-01-31T12:00:00.123Z"'
SAID = [
    "plain",
    f'{{"level": "DEBUG", {AT}}}',
    f'{{"level": "WARNING", {AT}}}',
    f'{{"level": "error", {AT}}}',
    '{"level": "ERROR", "at": 1}',
    "{not json",
]


@pytest.mark.parametrize(
    ("level", "kept"), [("WARN", [2, 3]), ("DEBUG", range(6)), ("INFO", [0, 2, 3, 4, 5])]
)
async def test_an_application_s_level(make_rig: MakeRig, level: str, kept: Sequence[int]) -> None:
    rig = await make_rig()

    async def handler(event: Any) -> Any:
        next(iter(rig.engine.sandboxes.values())).print("\n".join(SAID) + "\n")

    rig.engine.make_handler = lambda: handler
    await rig.deploy(logging=LoggingConfig("JSON", application_log_level=level))
    result = await rig.invoke()
    lines = await log(rig, request_id=result.request_id)
    written = [line.text for line in lines if line.stream == "stdout"]
    assert written == [SAID[number] for number in kept]


def test_attempts_of_one_event_stand_one_after_the_other(tmp_path: Path) -> None:
    """A retried event keeps its request id. The second line came a moment after its turn's end."""
    subject = Subject("mail", "arn", "stream", 128)
    stream = LogStream("env", "group", 0.0, 3, "Text", "INFO", "INFO", subject)
    journal = Journal(tmp_path / "journal")
    attempts = [_attempt(at) for at in (10.0, 70.0, 190.0)]
    said = [(at, "mail", "env", "id", "stdout", f"{at:g}") for at in (10.5, 71.001, 189.999)]
    journal.append(attempts, [*said], [stream.row()])
    lines = read_log(journal, LogQuery())
    journal.close()
    turn = ["START", "{}", "END", "REPORT"]
    expected = [word.format(at) for at in ("10.5", "71.001", "189.999") for word in turn]
    assert [line.text.split(" ")[0] for line in lines] == expected
    assert len({line.id for line in lines}) == len(lines)


def _attempt(at: float) -> InvocationRow:
    """One that took a second from ``at`` on."""
    timings = Timings(received=at, dispatched=at, responded=at + 1, next=at + 1)
    marks = timings.in_microseconds()
    ran = ("id", "mail", "revision", "env", "sandbox", "function_failed", "warm", at)
    return (*ran, marks, "Unhandled", None, None, None, None)


async def test_followers_see_it_as_it_comes(make_rig: MakeRig) -> None:
    rig = await make_rig()
    talking(rig)
    await rig.deploy(runtime="python3.13")
    seen: list[LogRow] = []
    unfollow = rig.emulator.logs.follow(seen.append)
    ok = await rig.invoke(payload=b"1")
    await _settled(rig)
    words = [row[5].split(" ")[0] for row in seen]
    assert words == ["INIT_START", "START", "said", "rest", "END", "REPORT"]
    assert {row[3] for row in seen[1:]} == {ok.request_id}
    unfollow()
    rig.engine.init_exit = SandboxExit(signal=9, out_of_memory=True)
    await rig.deploy("killed")
    unfollow = rig.emulator.logs.follow(seen.append)
    seen.clear()
    await rig.invoke("killed")
    words = [row[5].split(" ")[0] for row in seen]
    assert words == ["INIT_START", "INIT_REPORT", "START", "RequestId:", "END", "REPORT"]
    assert seen[-1][5].endswith("Status: error\tError Type: Runtime.OutOfMemory")
    unfollow()


async def _settled(rig: Rig) -> None:
    """Until every runtime has polled again: its turn is over, and written down."""
    environments = rig.emulator.driver.environments.values()
    while any(one._previous is not None for one in environments):
        await asyncio.sleep(0)
