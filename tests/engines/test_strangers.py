"""Peers that are no launcher, on the daemon's sockets; and a daemon that is none, to a launcher."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.channel import Assignment, Channel, ControlListener
from lambdash.engines.frames import FrameType
from lambdash.engines.relay import RelayListener, new_secret
from lambdash.errors import PlatformError
from tests.engines.launching import PATIENCE_S, Observer, start_launcher

ASSIGNMENT = Assignment(("true",), (), "/")


def hello(
    port: int = 9001,
    secret: bytes = b"",
    version: int = frames.PROTOCOL_VERSION,
    gateway: int = 0,
) -> bytes:
    return frames.encode(FrameType.HELLO, struct.pack("!IIII", version, 1, port, gateway) + secret)


STARTED = frames.encode(FrameType.STARTED, struct.pack("!IQ", 7, 0))


@contextlib.contextmanager
def descriptors(count: int) -> Iterator[list[int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    pipes = [os.pipe() for _ in range(2)]
    doors = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    passed = [listener.fileno(), pipes[0][0], pipes[1][0], doors[0].fileno()]
    try:
        yield (passed * 2)[:count]
    finally:
        for each in (listener, *doors):
            each.close()
        for ends in pipes:
            for end in ends:
                os.close(end)


async def greet(folder: Path, message: bytes, count: int) -> tuple[Channel, socket.socket]:
    listener = await ControlListener.open(folder / "c.sock")
    stranger = socket.socket(socket.AF_UNIX)
    stranger.connect(str(folder / "c.sock"))
    with descriptors(count) as passed:
        socket.send_fds(stranger, [message], passed)
    try:
        return await listener.accept(PATIENCE_S), stranger
    except BaseException:
        stranger.close()
        raise


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 4),
        (hello(), 0),
        (hello(), 3),
        (hello(), 6),
        (hello(gateway=9002), 4),
        (hello(gateway=65536), 5),
        (hello(version=2), 4),
        (hello(port=0), 4),
        (hello()[:-1], 4),
        (hello() + hello(), 4),
        (STARTED, 4),
    ],
)
async def test_who_does_not_greet_is_refused(tmp_path: Path, message: bytes, count: int) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(PlatformError) as refused:
        await greet(tmp_path, message, count)
    assert refused.value.code == "launcher-protocol"
    assert set(os.listdir("/proc/self/fd")) == before
    assert os.listdir(tmp_path) == []


async def test_nobody_coming_is_told_in_time(tmp_path: Path) -> None:
    listener = await ControlListener.open(tmp_path / "c.sock")
    with pytest.raises(PlatformError, match="did not connect") as refused:
        await listener.accept(0.01)
    assert refused.value.code == "launcher-silent"
    assert os.listdir(tmp_path) == []


async def test_a_path_too_long_for_the_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError) as refused:
        await ControlListener.open(tmp_path / ("x" * 120))
    assert refused.value.code == "socket-path-too-long"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff" * 8,
        STARTED,
        frames.encode(FrameType.EXITED, b"short"),
        frames.encode(FrameType.STDOUT, b"only a relay says this"),
        frames.encode(FrameType.EXTENSIONS),
        frames.encode(FrameType.EXTENSIONS, b"late\0"),
        frames.encode(FrameType.EXTENSION_EXITED, b"short"),
        frames.encode(FrameType.CONNECTED, bytes(4)),
        frames.encode(FrameType.REFUSED, b"short"),
        frames.encode(FrameType.HELLO),
    ],
)
async def test_nonsense_after_the_start_is_a_lost_sandbox(tmp_path: Path, nonsense: bytes) -> None:
    channel, stranger = await greet(tmp_path, hello(), 4)
    observer = Observer()
    with stranger:
        stranger.sendall(STARTED)
        await channel.assign(ASSIGNMENT, observer)
        stranger.sendall(nonsense)
        assert (await observer.exit()).sandbox_lost
        stranger.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionError):
            while await asyncio.to_thread(stranger.recv, 65536):
                pass
        channel.close()
    assert len(observer.exits) == 1


@pytest.mark.parametrize("nonsense", [b"", b"x" * 5, b"x" * 50])
async def test_nonsense_at_the_door_is_a_lost_sandbox(
    scripted: "Scripted", nonsense: bytes
) -> None:
    scripted.door.send(nonsense)
    assert (await scripted.observer.exit()).sandbox_lost
    before = set(os.listdir("/proc/self/fd"))
    scripted.channel.close()
    assert set(os.listdir("/proc/self/fd")) < before


async def test_a_descriptor_of_no_kind_is_closed(scripted: "Scripted") -> None:
    read, write = os.pipe()
    before = len(os.listdir("/proc/self/fd"))
    socket.send_fds(scripted.door, [bytes([FrameType.EXTENSION_OUTPUT]) + bytes(4)], [read])
    os.write(write, b"said")
    await scripted.observer.until(lambda: scripted.observer.written["extension"] == b"said")
    assert len(os.listdir("/proc/self/fd")) == before + 1
    socket.send_fds(scripted.door, [bytes([FrameType.CONNECTED]) + bytes(4)], [read])
    socket.send_fds(scripted.door, [bytes([FrameType.EXTENSION_OUTPUT]) + bytes(4)], [read])
    assert (await scripted.observer.exit()).sandbox_lost
    scripted.channel.close()
    assert len(os.listdir("/proc/self/fd")) < before
    os.close(read)
    os.close(write)


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator["Scripted"]:
    listener = await ControlListener.open(tmp_path / "c.sock")
    runtime, stranger = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    (out, into_out), (err, into_err) = os.pipe(), os.pipe()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with runtime, stranger, ours, theirs:
        stranger.connect(str(tmp_path / "c.sock"))
        socket.send_fds(stranger, [hello()], [runtime.fileno(), out, err, theirs.fileno()])
        channel = await listener.accept(PATIENCE_S)
        stranger.sendall(STARTED)
        observer = Observer()
        await channel.assign(ASSIGNMENT, observer)
        yield Scripted(channel, observer, stranger, runtime.getsockname(), into_out, ours)
        channel.close()
        await asyncio.sleep(0)
    for end in (out, into_out, err, into_err):
        os.close(end)


@dataclass(frozen=True)
class Scripted:
    """A channel whose launcher and runtime are played by the test."""

    channel: Channel
    observer: Observer
    launcher: socket.socket
    address: tuple[str, int]
    stdout: int
    door: socket.socket

    async def heard(self, kind: FrameType) -> None:
        """Wait for the daemon's next frame of that type; every frame before it is dropped."""
        loop, reader = asyncio.get_running_loop(), frames.FrameReader()
        self.launcher.settimeout(0)
        async with asyncio.timeout(PATIENCE_S):
            while not any(
                frame[0] is kind
                for frame in reader.feed(await loop.sock_recv(self.launcher, 65536))
            ):
                pass


async def test_output_is_told_before_the_exit_that_overtook_it(scripted: Scripted) -> None:
    scripted.launcher.sendall(frames.encode(FrameType.EXITED, struct.pack("!iiIQ", 0, 0, 0, 1)))
    os.write(scripted.stdout, b"last words")
    known: list[bytes] = []
    happened = scripted.observer.happened

    def at_exit(event: str) -> None:
        known.append(scripted.observer.stdout)
        happened(event)

    scripted.observer.happened = at_exit  # type: ignore[method-assign]
    await scripted.observer.exit()
    assert known == [b"last words"]


async def test_an_answer_is_read_before_the_exit_that_overtook_it(scripted: Scripted) -> None:
    with socket.create_connection(scripted.address) as runtime:
        scripted.launcher.sendall(frames.encode(FrameType.EXITED, struct.pack("!iiIQ", 0, 0, 0, 1)))
        runtime.sendall(b"answer")
    await scripted.observer.exit()
    assert scripted.observer.events == ["data", "disconnected", "exited"]


async def test_a_reset_ends_the_old_connections_before_it_takes_new_ones(
    scripted: Scripted,
) -> None:
    loop, observer = asyncio.get_running_loop(), scripted.observer
    with socket.create_connection(scripted.address) as old:
        await observer.until(lambda: observer.connections == 1)
        resetting = asyncio.ensure_future(scripted.channel.reset())
        await scripted.heard(FrameType.RESET)
        assert observer.connections == 0
        old.settimeout(0)
        with contextlib.suppress(ConnectionResetError):
            assert await loop.sock_recv(old, 1) == b""
    with socket.create_connection(scripted.address) as new:
        new.sendall(b"x")
        for _ in range(10):
            await asyncio.sleep(0)
        assert observer.connections == 0
        scripted.launcher.sendall(STARTED)
        await resetting
        new.settimeout(0)
        assert await loop.sock_recv(new, 1) == b"x"


async def test_an_exit_during_a_reset_is_the_resets_own(scripted: Scripted) -> None:
    resetting = asyncio.ensure_future(scripted.channel.reset())
    await scripted.heard(FrameType.RESET)
    exited = frames.encode(FrameType.EXITED, struct.pack("!iiIQ", 1, 0, 0, 1))
    scripted.launcher.sendall(exited + STARTED)
    await resetting
    assert scripted.observer.exits == []
    scripted.launcher.sendall(exited)
    assert (await scripted.observer.exit()).exit_code == 1


async def test_a_launcher_that_does_not_stop_is_told(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LAUNCHER_REPLY_MAX_S", 0.01)
    with pytest.raises(PlatformError) as silent:
        await scripted.channel.shutdown(0)
    assert silent.value.code == "launcher-silent"


async def test_an_end_before_the_start_fails_the_assignment(tmp_path: Path) -> None:
    channel, stranger = await greet(tmp_path, hello(), 4)
    observer = Observer()
    stranger.close()
    with pytest.raises(PlatformError) as failed:
        await channel.assign(ASSIGNMENT, observer)
    assert failed.value.code == "sandbox-lost"
    assert observer.exits == []
    channel.close()


@pytest.fixture
async def relay() -> AsyncIterator[RelayListener]:
    listener = await RelayListener.open("127.0.0.1")
    yield listener
    listener.close()
    await asyncio.sleep(0)


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await reader.read(65536):
                pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        hello(secret=b"0" * 64),
        hello(),
        STARTED,
        frames.encode(FrameType.STDOUT, b"x"),
    ],
)
async def test_a_relay_cuts_off_who_knows_no_secret(relay: RelayListener, opening: bytes) -> None:
    waiting = relay.expect(new_secret())
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(opening)
    assert await closed(reader)
    writer.close()
    assert not asyncio.ensure_future(waiting).done()


async def test_a_secret_serves_once(relay: RelayListener) -> None:
    secret = new_secret()
    waiting = relay.expect(secret)
    first, second = [await asyncio.open_connection("127.0.0.1", relay.port) for _ in range(2)]
    first[1].write(hello(secret=secret.encode()))
    channel = await waiting
    second[1].write(hello(secret=secret.encode()))
    assert await closed(second[0])
    channel.close()
    assert await closed(first[0])
    for _, writer in (first, second):
        writer.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        frames.encode(FrameType.DATA, b"x", 3),
        frames.encode(FrameType.OPEN, b"", limits.RELAY_CHANNELS_MAX),
        frames.encode(FrameType.OPEN, b"", 1) * 2,
        frames.encode(FrameType.OPEN, b"", 1) + frames.encode_number(FrameType.CREDIT, 1, 1),
        frames.encode(FrameType.ASSIGN, b""),
    ],
)
async def test_relayed_nonsense_is_a_lost_sandbox(relay: RelayListener, nonsense: bytes) -> None:
    secret = new_secret()
    waiting = relay.expect(secret)
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(hello(secret=secret.encode()))
    channel = await waiting
    observer = Observer()
    writer.write(STARTED)
    await channel.assign(ASSIGNMENT, observer)
    writer.write(nonsense)
    assert (await observer.exit()).sandbox_lost
    assert await closed(reader)
    writer.close()
    assert len(observer.exits) == 1
    assert observer.connections == 0


class Deaf(asyncio.Protocol):
    """Reads nothing until it is told to."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.received += data


async def test_a_paused_reader_holds_at_most_a_window(relay: RelayListener) -> None:
    secret = new_secret()
    waiting = relay.expect(secret)
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(hello(secret=secret.encode()))
    channel = await waiting
    observer, deaf = Observer(), Deaf()
    observer.protocol = lambda _: deaf
    writer.write(STARTED)
    await channel.assign(ASSIGNMENT, observer)
    half = bytes(limits.RELAY_WINDOW_BYTES // 2)
    data = frames.encode(FrameType.DATA, half, 1)
    writer.write(frames.encode(FrameType.OPEN, b"", 1) + data + data)
    writer.write(frames.encode(FrameType.STDOUT, b"."))
    await observer.until(lambda: observer.stdout == b".")
    assert not deaf.received
    assert deaf.transport is not None
    deaf.transport.resume_reading()
    writer.write(frames.encode(FrameType.STDOUT, b"."))
    await observer.until(lambda: observer.stdout == b"..")
    assert len(deaf.received) == limits.RELAY_WINDOW_BYTES
    deaf.transport.pause_reading()
    writer.write(data + data + frames.encode(FrameType.DATA, b"x", 1))
    assert (await observer.exit()).sandbox_lost
    assert await closed(reader)
    writer.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff" * 8,
        frames.encode(FrameType.HELLO),
        frames.encode(FrameType.RESET),
        frames.encode(FrameType.ASSIGN, b""),
        frames.encode(
            FrameType.ASSIGN, struct.pack("!IIIHHH", 0, 0, 0, 500, 500, 0) + b"/\0\0sh\0"
        ),
        frames.encode(FrameType.ASSIGN, struct.pack("!IIIHHH", 0, 0, 0, 0, 0, 0) + b"/\0\0"),
        frames.encode(FrameType.ASSIGN, struct.pack("!IIIHHH", 0, 0, 0, 1, 0, 1) + b"/\0\0sh\0"),
        frames.encode(FrameType.ASSIGN, struct.pack("!IIIHHH", 0, 0, 0, 1, 0, 0) + b"/sh\0"),
        frames.encode(FrameType.START),
        frames.encode(FrameType.CONNECT, b"1"),
        frames.encode(FrameType.RETIRE, b"1"),
        frames.encode(FrameType.SHUTDOWN, b"1"),
        frames.encode(FrameType.DATA, b"x", 60000),
    ],
)
async def test_a_launcher_ends_when_its_daemon_talks_nonsense(
    tmp_path: Path, nonsense: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "c.sock"))
        daemon.listen(1)
        process = start_launcher({"LAMBDASH_CONTROL": str(tmp_path / "c.sock")})
        connection, _ = await asyncio.to_thread(daemon.accept)
        with connection:
            connection.sendall(nonsense)
            assert await asyncio.to_thread(process.wait, PATIENCE_S) == 1
