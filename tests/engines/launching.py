"""Starts real launchers over either channel, and an observer that records what they tell."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lambdash.engines import launcher
from lambdash.engines.channel import Assignment, Channel, ControlListener
from lambdash.engines.protocol import SandboxExit
from lambdash.engines.relay import RelayListener, new_secret

PATIENCE_S = 20.0


class Echo(asyncio.Protocol):
    """Sends back what it gets, and tells its observer."""

    def __init__(self, observer: "Observer") -> None:
        self._observer = observer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._observer.connections += 1
        most = max(self._observer.most_connections, self._observer.connections)
        self._observer.most_connections = most
        self._observer.news.set()

    def data_received(self, data: bytes) -> None:
        self._observer.received += data
        self._observer.happened("data")
        self.reply(data)

    def reply(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._observer.connections -= 1
        self._observer.happened("disconnected")


class Sink(Echo):
    """Says nothing."""

    def reply(self, data: bytes) -> None:
        pass


class Observer:
    """What one sandbox told, in order."""

    def __init__(self) -> None:
        self.written = {stream: bytearray() for stream in ("stdout", "stderr", "extension")}
        self.received = bytearray()
        self.exits: list[SandboxExit] = []
        self.extensions: list[tuple[str, ...]] = []
        self.extension_exits: list[tuple[str, SandboxExit]] = []
        self.marks: dict[str, float] = {}
        self.events: list[str] = []
        self.connections = 0
        self.most_connections = 0
        self.protocol: Callable[[Observer], asyncio.Protocol] = Echo
        self.news = asyncio.Event()

    @property
    def stdout(self) -> bytes:
        return bytes(self.written["stdout"])

    @property
    def stderr(self) -> bytes:
        return bytes(self.written["stderr"])

    def happened(self, event: str) -> None:
        self.events.append(event)
        self.news.set()

    def runtime_connection(self) -> asyncio.Protocol:
        return self.protocol(self)

    def output(self, stream: str, data: bytes) -> None:
        self.written[stream] += data
        self.news.set()

    def mark(self, name: str, at: float) -> None:
        self.marks[name] = at

    def extensions_started(self, names: tuple[str, ...]) -> None:
        self.extensions.append(names)
        self.happened("extensions")

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        self.extension_exits.append((name, exit))
        self.happened("extension exited")

    def exited(self, exit: SandboxExit) -> None:
        self.exits.append(exit)
        self.happened("exited")

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def exit(self) -> SandboxExit:
        await self.until(lambda: bool(self.exits))
        return self.exits[-1]


@dataclass
class Launched:
    """A launcher of our own, connected."""

    process: subprocess.Popen[bytes]
    channel: Channel
    observer: Observer

    async def run(self, *arguments: str, **variables: str) -> None:
        variables.setdefault("PATH", os.environ["PATH"])
        folder = tempfile.gettempdir()
        assignment = Assignment(arguments, tuple(variables.items()), folder)
        await self.channel.assign(assignment, self.observer)

    async def shell(self, script: str, **variables: str) -> None:
        variables |= self._ports()
        await self.run("sh", "-c", script, **variables)

    async def python(self, script: str, **variables: str) -> None:
        variables |= self._ports()
        await self.run(sys.executable, "-S", "-c", script, **variables)

    def _ports(self) -> dict[str, str]:
        return {"PORT": str(self.channel.runtime_port), "GATEWAY": str(self.channel.gateway_port)}

    async def gone(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)


def start_launcher(
    variables: dict[str, str], command: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*command, str(launcher.native())],
        env={"LAMBDASH_PORT": "0", "LAMBDASH_GATEWAY_PORT": "0", **variables},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )


@asynccontextmanager
async def by_descriptors(command: tuple[str, ...] = ()) -> AsyncIterator[Launched]:
    with tempfile.TemporaryDirectory(prefix="ld-") as folder:
        listener = await ControlListener.open(Path(folder) / "control.sock")
        process = start_launcher({"LAMBDASH_CONTROL": f"{folder}/control.sock"}, command)
        async with _owned(process):
            channel = await listener.accept(PATIENCE_S)
            async with _closing(channel):
                yield Launched(process, channel, Observer())


@asynccontextmanager
async def by_relay(command: tuple[str, ...] = ()) -> AsyncIterator[Launched]:
    listener = await RelayListener.open("127.0.0.1")
    secret = new_secret()
    expected = listener.expect(secret)
    address = f"localhost:{listener.port}"
    variables = {"LAMBDASH_RELAY": address, "LAMBDASH_RELAY_SECRET": secret}
    process = start_launcher(variables, command)
    try:
        async with _owned(process):
            channel = await asyncio.wait_for(expected, PATIENCE_S)
            async with _closing(channel):
                yield Launched(process, channel, Observer())
    finally:
        listener.close()


@asynccontextmanager
async def _owned(process: subprocess.Popen[bytes]) -> AsyncIterator[None]:
    try:
        yield
        assert await asyncio.to_thread(process.wait, PATIENCE_S) is not None
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


@asynccontextmanager
async def _closing(channel: Channel) -> AsyncIterator[None]:
    try:
        yield
    finally:
        channel.close()
        await asyncio.sleep(0)


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
