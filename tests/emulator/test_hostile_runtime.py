"""Code in a sandbox says anything to the Runtime API: callers are answered once all the same."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.model import Succeeded
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]
RUNTIME = "/2018-06-01/runtime"
PATHS = [
    f"GET {RUNTIME}/invocation/next",
    f"POST {RUNTIME}/invocation/ID/response",
    f"POST {RUNTIME}/invocation/ID/error",
    f"POST {RUNTIME}/invocation/other/response",
    f"POST {RUNTIME}/init/error",
    "POST /2020-01-01/extension/register",
    "GET /2020-01-01/extension/event/next",
    "POST /2020-01-01/extension/init/error",
    "POST /2020-01-01/extension/exit/error",
    "PUT /2022-07-01/telemetry",
    "PUT /2020-08-15/logs",
    "DELETE /../../etc/passwd",
]
HEADERS = [
    "Lambda-Extension-Name: me",
    "Lambda-Extension-Identifier: 00000000-0000-4000-a000-000000000000",
    "Lambda-Extension-Function-Error-Type: Fatal.X",
    "Lambda-Runtime-Function-Response-Mode: streaming",
    "Lambda-Runtime-Function-Response-Mode: odd",
    "Lambda-Runtime-Function-Error-Type: X",
]
BODIES = [
    b"Content-Length: 2\r\n\r\n{}",
    b'Content-Length: 21\r\n\r\n{"events":["INVOKE"]}',
    b"Content-Length: 9\r\n\r\n{}",  # the rest never comes
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n0\r\nLambda-Runtime-Function-Error-Type: X\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n",  # broken framing
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",  # no end
    b"Content-Length: 0\r\n\r\n",
]


async def say(rig: Rig, request: bytes) -> asyncio.StreamWriter | None:
    """One request on a connection of its own; its answer is not waited for."""
    sandboxes = list(rig.engine.sandboxes.values())
    if not sandboxes:
        return None
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(sandboxes[0].observer.runtime_connection, ours)
    _, writer = await asyncio.open_connection(sock=theirs)
    writer.write(request)
    return writer


def anything(random_: random.Random, request_id: str) -> bytes:
    """Some request, with the id of the invocation in hand."""
    path = random_.choice(PATHS).replace("ID", request_id)
    headers = random_.sample(HEADERS, random_.randrange(4))
    head = "\r\n".join([f"{path} HTTP/1.1", "Host: x", *headers]) + "\r\n"
    return head.encode() + random_.choice(BODIES)


@pytest.mark.parametrize("seed", range(8))
async def test_each_caller_is_answered_once(make_rig: MakeRig, seed: int) -> None:
    random_ = random.Random(seed)
    busy = asyncio.Event()
    go_on = asyncio.Event()

    async def handler(event: Any) -> Any:
        if event.get("wait"):
            busy.set()
            await go_on.wait()
        return event

    rig = await make_rig(lambda: handler)
    held: list[asyncio.StreamWriter] = []
    await rig.deploy(timeout_s=1)
    for _ in range(3):
        busy.clear()
        go_on.clear()
        request_id = rig.emulator.new_request_id()
        done: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
        options = InvocationOptions(request_id=request_id)
        rig.emulator.invoke("hello", b'{"wait":true}', options, done.set_result)
        await asyncio.wait_for(busy.wait(), 10)
        for _ in range(12):
            writer = await say(rig, anything(random_, request_id))
            if writer is not None and random_.random() < 0.5:
                writer.close()
            elif writer is not None:
                held.append(writer)
        go_on.set()
        # a second answer would be an error of the future, and fail the test
        assert (await asyncio.wait_for(done, 10)).request_id == request_id
    for writer in held:
        writer.close()

    last = await rig.invoke(payload=b'{"n":1}')
    again = await rig.invoke(payload=b'{"n":2}')
    assert Succeeded(b'{"n": 2}') in (last.outcome, again.outcome)
