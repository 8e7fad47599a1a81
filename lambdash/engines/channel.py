"""The daemon's end of one launcher: its control connection, and what was handed over with it.

A launcher on the same kernel passes descriptors: the Runtime API's listening socket, the gateway's
where it has one, the read ends of the runtime's output pipes, a door through which more come later
and, where the sandbox has a cgroup of its own, the file that holds its memory peak. So nothing
but the runtime's own bytes moves on the warm path.
"""

import asyncio
import contextlib
import os
import select
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Self

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.accept import Acceptor
from lambdash.engines.frames import Assignment, FrameType, ProcessLimits
from lambdash.engines.link import Channel
from lambdash.engines.protocol import SandboxObserver
from lambdash.errors import PlatformError

__all__ = ["Assignment", "Channel", "ControlListener", "DescriptorChannel", "ProcessLimits"]

_READ_BYTES = 64 * 1024
# where the flag is missing (macOS), the daemon starts no process between receiving and adopting
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
_STREAMS = ("stdout", "stderr")
_EXTENSIONS = "extension"
# struct ucred: pid, uid, gid
_CREDENTIALS = struct.Struct("=iII")
# what came, and of which asking
_DOOR_BYTES = 5


class ControlListener:
    """A unix socket one launcher connects to. Whoever can reach the path may be that launcher."""

    def __init__(self, path: Path, listening: socket.socket) -> None:
        self._path = path
        self._socket = listening

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Listen at ``path`` (readable and writable by everyone: a sandbox's user is not ours).

        The folder that holds it keeps other people out. Raises ``PlatformError`` when the path is
        too long for the kernel or cannot be made.
        """
        if len(os.fsencode(path)) > limits.SOCKET_PATH_MAX_BYTES:
            raise PlatformError(
                "socket-path-too-long",
                f"{path} is longer than {limits.SOCKET_PATH_MAX_BYTES} bytes",
                "set XDG_RUNTIME_DIR to a shorter path",
            )
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.settimeout(0)
            listening.bind(os.fspath(path))
            os.chmod(path, 0o666)  # noqa: S103 - the folder keeps others out
            listening.listen(1)
        except OSError as error:
            listening.close()
            raise PlatformError("control-socket", f"cannot listen at {path}: {error}") from error
        return cls(path, listening)

    async def accept(self, timeout_s: float) -> Channel:
        """The launcher's channel, once it has introduced itself; the path is gone afterwards."""
        loop = asyncio.get_running_loop()
        connection: socket.socket | None = None
        try:
            async with asyncio.timeout(timeout_s):
                connection, _ = await loop.sock_accept(self._socket)
                self.close()
                await _readable(loop, connection)
            return await DescriptorChannel.adopt(connection)
        except TimeoutError as error:
            raise PlatformError(
                "launcher-silent", f"the launcher did not connect within {timeout_s:g} s"
            ) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Idempotent."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


async def _readable(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _receive_hello(connection: socket.socket) -> tuple[frames.Hello, list[int]]:
    """The greeting and its descriptors; closes them all when it is not one."""
    data, descriptors, flags, _ = socket.recv_fds(connection, _READ_BYTES, 6, _CLOSE_ON_EXEC)
    try:
        received = list(frames.FrameReader().feed(data))
        if len(received) != 1 or received[0][0] is not FrameType.HELLO or flags & socket.MSG_CTRUNC:
            raise frames.protocol_error("no greeting")
        hello = frames.decode_hello(received[0][2])
        if len(descriptors) - bool(hello.gateway_port) not in {4, 5}:
            raise frames.protocol_error(f"a greeting with {len(descriptors)} descriptors")
    except PlatformError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return hello, list(descriptors)


class DescriptorChannel(Channel):
    """A launcher on this kernel: descriptors were passed, and clocks are the same."""

    def __init__(self, hello: frames.Hello, descriptors: list[int]) -> None:
        super().__init__(hello.port, hello.gateway_port)
        self.launcher_pid = hello.pid
        self._loop = asyncio.get_running_loop()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003
        listener, *others = descriptors
        self._acceptor = _acceptor(listener, limits.RUNTIME_CONNECTIONS_MAX)
        self._gateway: Acceptor | None = None
        if hello.gateway_port:
            self._gateway = _acceptor(others.pop(0), limits.GATEWAY_CONNECTIONS_MAX)
        self._outputs: dict[str, int] = dict(zip(_STREAMS, others[:2], strict=True))
        self._door = socket.socket(fileno=others[2])
        self._memory: int | None = others[3] if len(others) > 3 else None
        self._door.setblocking(False)  # noqa: FBT003
        self._written = select.poll()
        for descriptor in self._outputs.values():
            os.set_blocking(descriptor, False)
            self._written.register(descriptor, select.POLLIN)

    @classmethod
    async def adopt(cls, connection: socket.socket) -> Self:
        """Take over a connection whose greeting can be read."""
        hello, descriptors = _receive_hello(connection)
        channel = cls(hello, descriptors)
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: channel, connection)
        except BaseException:
            channel.close()
            raise
        return channel

    @property
    def peer_pid(self) -> int:
        """The launcher's pid as this process sees it; 0 where that cannot be told."""
        connection = None if self._transport is None else self._transport.get_extra_info("socket")
        if connection is None or not hasattr(socket, "SO_PEERCRED"):
            return 0
        size = _CREDENTIALS.size
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid: int = _CREDENTIALS.unpack(raw)[0]
        return pid

    def memory_peak_bytes(self) -> int | None:
        """The sandbox's peak so far, from its own cgroup; None where it has none. One read."""
        if self._memory is None:
            return None
        try:
            return int(os.pread(self._memory, 64, 0))
        except (OSError, ValueError):
            return None

    def drain_output(self) -> None:
        """At most ``limits.DRAIN_MAX_BYTES`` a stream, so that a flood cannot hold the loop."""
        if self._written.poll(0):  # one call for both, and mostly the only one
            for stream in tuple(self._outputs):
                self._drain(stream, limits.DRAIN_MAX_BYTES)

    def _drain(self, stream: str, bound: int) -> None:
        descriptor = self._outputs.get(stream)
        while descriptor is not None and bound > 0:
            try:
                data = os.read(descriptor, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._end_output(stream)
                return
            bound -= len(data)
            if self._observer is not None:
                self._observer.output(stream, data)
            if len(data) < _READ_BYTES:
                return

    def _end_output(self, stream: str) -> None:
        descriptor = self._outputs.pop(stream, None)
        if descriptor is not None:
            self._loop.remove_reader(descriptor)
            self._written.unregister(descriptor)
            os.close(descriptor)

    def _begin(self, observer: SandboxObserver) -> None:
        for stream, descriptor in self._outputs.items():
            self._loop.add_reader(descriptor, self._drain, stream, _READ_BYTES)
        self._loop.add_reader(self._door, self._at_door)

    def _at_door(self) -> None:
        """The launcher passes a descriptor: a connection, or the output of extensions."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._door, _DOOR_BYTES, 1, _CLOSE_ON_EXEC)
        except OSError:
            return
        if len(data) != _DOOR_BYTES or len(descriptors) != 1:
            self._lose()
            return
        os.set_inheritable(descriptors[0], False)  # noqa: FBT003
        if data[0] == FrameType.CONNECTED:
            connection = socket.socket(fileno=descriptors[0])
            connection.setblocking(False)  # noqa: FBT003
            self.inward.arrived(int.from_bytes(data[1:], "big"), connection)
        elif data[0] == FrameType.EXTENSION_OUTPUT and _EXTENSIONS not in self._outputs:
            self._take_output(_EXTENSIONS, descriptors[0])
        else:
            os.close(descriptors[0])
            self._lose()

    def _take_output(self, stream: str, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._outputs[stream] = descriptor
        self._written.register(descriptor, select.POLLIN)
        self._loop.add_reader(descriptor, self._drain, stream, _READ_BYTES)

    def _hold_connections(self) -> None:
        self._acceptor.abort()
        if self._gateway is not None:
            self._gateway.abort()

    def _resume_connections(self, observer: SandboxObserver) -> None:
        self._acceptor.resume(observer.runtime_connection)
        if self._gateway is not None and self.gateway is not None:
            self._gateway.resume(self.gateway)

    def _connections_finished(self) -> bool:
        self._acceptor.accept_waiting()
        return self._acceptor.open_connections == 0

    def _started_at(self, launcher_s: float, asked_s: float) -> float:
        """The launcher's own stamp where its clock is ours; else the moment the news came."""
        now = time.monotonic()
        shared = sys.platform == "linux" and asked_s <= launcher_s <= now
        return launcher_s if shared else now

    def _release(self) -> None:
        self._acceptor.close()
        if self._gateway is not None:
            self._gateway.close()
        for stream in tuple(self._outputs):
            self._end_output(stream)
        if self._door.fileno() >= 0:
            self._loop.remove_reader(self._door)
            self._door.close()
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None


def _acceptor(descriptor: int, maximum: int) -> Acceptor:
    return Acceptor(socket.socket(fileno=descriptor), maximum)
