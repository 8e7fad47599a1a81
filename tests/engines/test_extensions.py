"""External extensions: what the launcher starts before the runtime, over both of its channels."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.engines.channel import Assignment
from lambdash.errors import PlatformError
from tests.engines.launching import Launched, alive, by_descriptors, by_relay

BOTH = {"descriptors": by_descriptors, "relay": by_relay}
PATIENT = "echo $$ >$HERE/$(basename $0).pid; while :; do sleep 0.02; done"


@pytest.fixture(params=BOTH)
async def launched(request: pytest.FixtureRequest) -> AsyncIterator[Launched]:
    async with BOTH[request.param]() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "extensions"
    folder.mkdir()
    return folder


def extension(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def assign(launched: Launched, folder: Path, script: str, **variables: str) -> None:
    given = {
        "PATH": os.environ["PATH"],
        "HERE": str(folder.parent),
        "PORT": str(launched.channel.runtime_port),
        **variables,
    }
    assignment = Assignment(
        ("sh", "-c", script), tuple(given.items()), str(folder.parent), None, str(folder)
    )
    await launched.channel.assign(assignment, launched.observer)


async def pid_of(folder: Path, name: str) -> int:
    path = folder.parent / f"{name}.pid"
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().strip()):
            await asyncio.sleep(0.005)
    return int(path.read_text())


async def test_they_come_first_and_the_runtime_when_it_is_told(
    launched: Launched, folder: Path
) -> None:
    extension(folder, "b", PATIENT)
    extension(folder, "a", PATIENT)
    (folder / "folder").mkdir()
    await assign(launched, folder, "echo runtime; sleep 100")
    assert launched.observer.extensions == [("a", "b")]
    assert await pid_of(folder, "a") != await pid_of(folder, "b")
    assert launched.observer.marks == {}
    await launched.channel.start_runtime()
    await launched.observer.until(lambda: launched.observer.stdout == b"runtime\n")
    assert launched.observer.marks.keys() == {"runtime_started"}


async def test_a_folder_that_is_not_there_changes_nothing(launched: Launched, folder: Path) -> None:
    await assign(launched, folder / "none", "echo runtime")
    assert (await launched.observer.exit()).exit_code == 0
    assert launched.observer.extensions == []


async def test_what_an_extension_is_given(launched: Launched, folder: Path) -> None:
    extension(folder, "env", "env | sort; pwd; echo said >&2; read nothing; exit 0")
    await assign(launched, folder, "sleep 100", _HANDLER="x", LAMBDA_TASK_ROOT="y", STAGE="dev")
    await launched.observer.until(lambda: bool(launched.observer.extension_exits))
    text = launched.observer.written["extension"].decode()
    assert "STAGE=dev" in text
    assert "_HANDLER" not in text
    assert "LAMBDA_TASK_ROOT" not in text
    assert "/\n" in text
    assert "said\n" in text
    assert launched.observer.stdout == b""


@pytest.mark.parametrize(
    ("script", "mode", "code", "number"),
    [
        ("exit 3", 0o755, 3, None),
        ("kill -KILL $$", 0o755, None, signal.SIGKILL),
        ("", 0o644, 126, None),
    ],
)
async def test_the_end_of_one_is_told_by_name(
    launched: Launched, folder: Path, script: str, mode: int, code: int | None, number: int | None
) -> None:
    extension(folder, "steady", PATIENT)
    extension(folder, "weak", script)
    (folder / "weak").chmod(mode)
    await assign(launched, folder, "sleep 100")
    await launched.observer.until(lambda: bool(launched.observer.extension_exits))
    ((name, ended),) = launched.observer.extension_exits
    assert (name, ended.exit_code, ended.signal) == ("weak", code, number)
    assert launched.observer.exits == []


async def test_the_runtimes_end_leaves_extensions_alive(launched: Launched, folder: Path) -> None:
    extension(folder, "steady", PATIENT)
    await assign(launched, folder, "sleep 100 & exit 3")
    await launched.channel.start_runtime()
    assert (await launched.observer.exit()).exit_code == 3
    assert alive(await pid_of(folder, "steady"))
    await launched.channel.shutdown(0)
    assert not alive(await pid_of(folder, "steady"))
    assert launched.observer.extension_exits == []


async def test_a_reset_gives_them_time_and_begins_with_them_again(
    launched: Launched, folder: Path
) -> None:
    late = "until test -e $HERE/leave; do sleep 0.01; done; echo left; exit 0"
    extension(folder, "late", late)
    await assign(launched, folder, "trap '' TERM; echo runtime; while :; do sleep 0.1; done")
    await launched.channel.start_runtime()
    await launched.observer.until(lambda: launched.observer.stdout == b"runtime\n")
    resetting = asyncio.ensure_future(launched.channel.reset(10.0))
    await asyncio.sleep(0)
    (folder.parent / "leave").touch()
    await resetting
    assert launched.observer.written["extension"].startswith(b"left\n")
    assert launched.observer.extensions == [("late",), ("late",)]
    assert launched.observer.exits == []
    await launched.channel.start_runtime()
    await launched.observer.until(lambda: launched.observer.stdout == b"runtime\n" * 2)


async def test_a_reset_kills_who_takes_too_long(launched: Launched, folder: Path) -> None:
    extension(folder, "stuck", f"trap '' TERM; {PATIENT}")
    await assign(launched, folder, "sleep 100")
    before = await pid_of(folder, "stuck")
    (folder.parent / "stuck.pid").unlink()
    await launched.channel.reset(0.1)
    assert not alive(before)
    assert await pid_of(folder, "stuck") != before
    assert launched.observer.extension_exits == []


async def test_a_stop_ends_the_runtime_first(launched: Launched, folder: Path) -> None:
    farewell = "until grep -q bye $HERE/log; do sleep 0.01; done; echo last; exit 0"
    extension(folder, "last", farewell)
    (folder.parent / "log").touch()
    runtime = "trap 'echo bye >$HERE/log; exit' TERM; echo up; while :; do sleep 0.02; done"
    await assign(launched, folder, runtime)
    await launched.channel.start_runtime()
    await launched.observer.until(lambda: launched.observer.stdout == b"up\n")
    await launched.channel.shutdown(20.0)
    assert launched.observer.written["extension"] == b"last\n"
    assert launched.observer.exits == []
    assert launched.observer.extension_exits == []


async def test_a_runtime_that_does_not_listen_has_a_third_of_the_grace(
    launched: Launched, folder: Path
) -> None:
    """It is killed at 30 %, and its extension ends long before the whole grace is over."""
    (folder.parent / "runtime").write_text("")
    runtime = "trap '' TERM; echo $$ >$HERE/runtime; echo up; while :; do sleep 0.02; done"
    extension(
        folder,
        "last",
        "until test -s $HERE/runtime; do sleep 0.01; done\n"
        "while kill -0 $(cat $HERE/runtime) 2>/dev/null; do sleep 0.01; done",
    )
    await assign(launched, folder, runtime)
    await launched.channel.start_runtime()
    await launched.observer.until(lambda: launched.observer.stdout == b"up\n")
    began = asyncio.get_running_loop().time()
    await launched.channel.shutdown(3.0)
    assert asyncio.get_running_loop().time() - began < 2.9


async def test_a_connection_made_inside(launched: Launched, folder: Path) -> None:
    listening = (
        "import os, socket\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "c, _ = s.accept()\n"
        "c.sendall(b'hello ' + c.recv(100)); c.close()\n"
        "s.accept()[0].recv(1)"
    )
    await launched.python(listening)
    await launched.observer.until(lambda: launched.observer.stdout.endswith(b"\n"))
    port = int(launched.observer.stdout)
    protocol = Talk()
    transport = await launched.channel.inward.connect(port, lambda: protocol)
    transport.write(b"you")
    assert await asyncio.wait_for(protocol.all, 10) == b"hello you"
    again = await launched.channel.inward.connect(port, Talk)
    again.close()
    with pytest.raises(PlatformError) as refused:
        await launched.channel.inward.connect(1, Talk)
    assert refused.value.code == "sandbox-refused"
    await launched.observer.exit()


async def test_connections_that_wait_are_bounded_and_end_with_the_sandbox(
    launched: Launched, folder: Path
) -> None:
    await launched.shell("sleep 100")
    os.kill(launched.process.pid, signal.SIGSTOP)
    asked = [
        asyncio.ensure_future(launched.channel.inward.connect(9, Talk))
        for _ in range(limits.SANDBOX_CONNECTING_MAX)
    ]
    await asyncio.sleep(0)
    with pytest.raises(PlatformError, match="too many"):
        await launched.channel.inward.connect(9, Talk)
    launched.channel.close()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in found} == {PlatformError}
    os.kill(launched.process.pid, signal.SIGCONT)


class Talk(asyncio.Protocol):
    """Collects what it is sent until the end."""

    def __init__(self) -> None:
        self.all: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.all.set_result(self._received)
