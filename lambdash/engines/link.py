"""One launcher as the daemon sees it: assign, reset, shut down, and learn how the runtime ended.

This half is the same whether descriptors were passed (``channel``) or bytes are relayed
(``relay``).
"""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.frames import Assignment, FrameType
from lambdash.engines.inward import InwardConnections
from lambdash.engines.protocol import SandboxExit, SandboxObserver
from lambdash.errors import PlatformError

_FREEZE, _THAW = frames.encode(FrameType.FREEZE), frames.encode(FrameType.THAW)
_SETTLE_POLL_S = 0.002
_SETTLE_POLLS_MAX = 250  # not seconds: a starved process may not have had its turn to read
_EXTENDED_SETTLE_POLLS = 10
# what an extension said last is read before its end is told
_EXTENSION_SETTLE_S = 0.02


class Channel(asyncio.Protocol):
    """The control connection of one launcher; a protocol of the connection it lives on.

    ``runtime_port`` is where the Runtime API listens inside the sandbox, on 127.0.0.1;
    ``runtime_pid`` is the runtime process in the launcher's own pid namespace. ``gateway_port`` is
    where AWS's API is asked for there, 0 where it is not; ``gateway``, set before ``assign``, makes
    a protocol for each connection to it.
    """

    def __init__(self, runtime_port: int, gateway_port: int = 0) -> None:
        self.runtime_port = runtime_port
        self.gateway_port = gateway_port
        self.gateway: Callable[[], asyncio.Protocol] | None = None
        self.runtime_pid: int | None = None
        self.launcher_pid = 0
        self._observer: SandboxObserver | None = None
        self._transport: asyncio.Transport | None = None
        self._frames = frames.FrameReader()
        self._started: asyncio.Future[float | None] | None = None
        self._quiet: asyncio.Future[None] | None = None
        self._extended = False
        self._resetting = False
        self.inward = InwardConnections(self._ask_inward)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending = False
        self._told = False
        self._pending_exit: SandboxExit | None = None
        self._settling: asyncio.TimerHandle | None = None

    async def assign(self, assignment: Assignment, observer: SandboxObserver) -> None:
        """Start the runtime; returns when its process was started, and marks ``runtime_started``.

        With extensions it returns when they were started, and the runtime is by ``start_runtime``.
        Once in a channel's life. Raises ``PlatformError`` when the launcher is gone.
        """
        assert self._observer is None, "a launcher is assigned once"
        message = frames.encode_assignment(assignment)
        self._observer = observer
        self._begin(observer)
        await self._start_life(message, observer)

    async def start_runtime(self) -> None:
        """Start the runtime of a life that began with extensions."""
        assert self._observer is not None, "the life has begun"
        await self._start_life(frames.encode(FrameType.START), self._observer)

    async def reset(self, grace_s: float = 0.0) -> None:
        """Kill the runtime's tree and start it anew; extensions may take ``grace_s`` to end.

        Connections of the old life are gone, and its output has been handed over or will be,
        before anything of the new life is seen.
        """
        assert self._observer is not None, "reset comes after assign"
        self._forget_exit()
        if self._extended and grace_s > 0:
            await self._retire(grace_s)
        self._hold_connections()
        self.drain_output()
        self._resetting = True
        try:
            await self._start_life(frames.encode(FrameType.RESET), self._observer)
        finally:
            self._resetting = False

    async def _retire(self, grace_s: float) -> None:
        """The runtime dead, its extensions too or out of time; their connections still serve."""
        self._quiet = asyncio.get_running_loop().create_future()
        grace_ms = round(min(grace_s, limits.SHUTDOWN_GRACE_MAX_S) * 1000)
        self._send(frames.encode_number(FrameType.RETIRE, grace_ms))
        try:
            async with asyncio.timeout(grace_s + limits.LAUNCHER_REPLY_MAX_S):
                await asyncio.wait({self._quiet, self._ended}, return_when="FIRST_COMPLETED")
        except TimeoutError as error:
            raise PlatformError(
                "launcher-silent", "the launcher did not stop its runtime in time"
            ) from error
        finally:
            self._quiet = None

    async def _start_life(self, message: bytes, observer: SandboxObserver) -> None:
        started = await self._start(message)
        if started is not None:
            observer.mark("runtime_started", started)

    async def shutdown(self, grace_s: float) -> None:
        """SIGTERM to the runtime, at most ``grace_s`` seconds, SIGKILL to all; then it is gone.

        Idempotent; output written meanwhile is still handed over. Raises ``PlatformError`` when
        the launcher outlives it: the engine must then remove the sandbox itself.
        """
        self._ending = True
        self._forget_exit()
        if not self._ended.done():
            grace_ms = round(min(max(grace_s, 0.0), limits.SHUTDOWN_GRACE_MAX_S) * 1000)
            self._send(frames.encode_number(FrameType.SHUTDOWN, grace_ms))
            try:
                async with asyncio.timeout(grace_s + limits.LAUNCHER_REPLY_MAX_S):
                    await asyncio.shield(self._ended)
            except TimeoutError as error:
                raise PlatformError(
                    "launcher-silent", "the launcher did not stop its runtime in time"
                ) from error
        self.drain_output()
        self.close()

    def close(self) -> None:
        """Cut the connection: whatever still runs behind it dies. Idempotent."""
        self._ending = True
        self._forget_exit()
        if self._transport is not None:
            self._transport.abort()
        self._finish()
        self._release()

    def freeze(self) -> None:
        """SIGSTOP to all that the launcher started."""
        self._send(_FREEZE)

    def thaw(self) -> None:
        """SIGCONT to them."""
        self._send(_THAW)

    def memory_peak_bytes(self) -> int | None:
        """The sandbox's memory peak so far, where it can be read at once."""
        return None

    @abstractmethod
    def drain_output(self) -> None:
        """Hand over all output already written, without waiting."""

    @abstractmethod
    def _begin(self, observer: SandboxObserver) -> None: ...

    @abstractmethod
    def _hold_connections(self) -> None: ...

    @abstractmethod
    def _resume_connections(self, observer: SandboxObserver) -> None: ...

    @abstractmethod
    def _connections_finished(self) -> bool:
        """Whether a dead runtime's last bytes on its connections have all been read."""

    @abstractmethod
    def _started_at(self, launcher_s: float, asked_s: float) -> float: ...

    @abstractmethod
    def _release(self) -> None: ...

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, channel, payload in self._frames.feed(data):
                self._on_frame(kind, channel, payload)
        except PlatformError:
            self._lose()

    def connection_lost(self, error: Exception | None) -> None:
        self._lose()

    def _on_frame(self, kind: FrameType, channel: int, payload: bytes) -> None:
        match kind:
            case FrameType.STARTED:
                self._on_started(payload)
            case FrameType.EXITED:
                self._on_exited(frames.decode_exited(payload))
            case FrameType.EXTENSIONS:
                self._on_extensions(frames.decode_names(payload))
            case FrameType.EXTENSION_EXITED:
                self._on_extension_exited(*frames.decode_extension_exited(payload))
            case FrameType.QUIET:
                if self._quiet is not None and not self._quiet.done():
                    self._quiet.set_result(None)
            case FrameType.REFUSED:
                self.inward.refused(*frames.decode_pair(payload))
            case FrameType.DONE:
                self._finish()
            case _:
                self._on_relayed(kind, channel, payload)

    def _on_relayed(self, kind: FrameType, channel: int, payload: bytes) -> None:
        raise frames.protocol_error(f"an unexpected frame {kind.name}")

    def _ask_inward(self, token: int, port: int) -> None:
        self._send(frames.encode_pair(FrameType.CONNECT, token, port))

    async def _start(self, message: bytes) -> float | None:
        """Send what starts a life; the monotonic second at which the runtime was started.

        None when extensions were.
        """
        if self._ended.done() or self._ending:
            raise _lost()
        loop = asyncio.get_running_loop()
        self._started = loop.create_future()
        self._told = False
        asked = time.monotonic()
        self._send(message)
        try:
            async with asyncio.timeout(limits.LAUNCHER_REPLY_MAX_S):
                launcher_s = await self._started
        except TimeoutError as error:
            raise PlatformError(
                "launcher-silent", "the launcher did not start the runtime"
            ) from error
        finally:
            self._started = None
        return None if launcher_s is None else self._started_at(launcher_s, asked)

    def _send(self, message: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(message)

    def _on_started(self, payload: bytes) -> None:
        self.runtime_pid, launcher_s = frames.decode_started(payload)
        self._on_life(launcher_s)

    def _on_extensions(self, names: tuple[str, ...]) -> None:
        """Told before any of them is heard: a registration names one of these."""
        if not names or self._observer is None:
            raise frames.protocol_error("extensions nobody asked for")
        self._extended = True
        if self._started is not None and not self._ending:
            self._observer.extensions_started(names)
        self._on_life(None)

    def _on_life(self, launcher_s: float | None) -> None:
        if self._started is None or self._started.done() or self._observer is None:
            raise frames.protocol_error("a start nobody asked for")
        self._resume_connections(self._observer)
        self._started.set_result(launcher_s)

    def _on_extension_exited(self, name: str, exit: SandboxExit) -> None:
        if self._is_own_doing():
            return
        loop = asyncio.get_running_loop()
        loop.call_later(_EXTENSION_SETTLE_S, self._tell_extension, name, exit)

    def _tell_extension(self, name: str, exit: SandboxExit) -> None:
        if self._observer is None or self._is_own_doing() or self._ended.done():
            return
        self.drain_output()
        self._observer.extension_exited(name, exit)

    def _is_own_doing(self) -> bool:
        """Whether what ends now was ended by the engine, or is overtaken by what it does."""
        return self._ending or self._quiet is not None or self._is_resetting()

    def _on_exited(self, exit: SandboxExit) -> None:
        if self._is_own_doing():
            return
        self._pending_exit = exit
        # extensions keep their connections open
        self._settle(_EXTENDED_SETTLE_POLLS if self._extended else _SETTLE_POLLS_MAX)

    def _is_resetting(self) -> bool:
        return self._resetting and self._started is not None and not self._started.done()

    def _settle(self, polls_left: int) -> None:
        """A runtime may answer and end at once: its answer is read before its end is told."""
        self.drain_output()
        if self._started is None and (self._connections_finished() or polls_left <= 0):
            ended, self._pending_exit = self._pending_exit, None
            if ended is not None:
                self._tell(ended)
            return
        loop = asyncio.get_running_loop()
        self._settling = loop.call_later(_SETTLE_POLL_S, self._settle, polls_left - 1)

    def _tell(self, exit: SandboxExit) -> None:
        self._told = True
        if self._observer is not None:
            self._observer.exited(exit)

    def _forget_exit(self) -> None:
        self._pending_exit = None
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def _finish(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        if self._started is not None and not self._started.done():
            self._started.set_exception(_lost())
        self.inward.close()

    def _lose(self) -> None:
        """The launcher is gone or not to be trusted; told once, unless it was asked to end."""
        if self._ended.done():
            return
        starting = self._started is not None
        self._finish()
        self.drain_output()
        ended = self._pending_exit
        self._forget_exit()
        if self._transport is not None:
            self._transport.abort()
        if not (self._ending or starting or self._told):
            self._tell(replace(ended or SandboxExit(), sandbox_lost=True))


def _lost() -> PlatformError:
    return PlatformError("sandbox-lost", "the sandbox ended before its runtime was started")
