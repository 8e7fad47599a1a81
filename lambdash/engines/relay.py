"""Channels for sandboxes on another kernel: one outward TCP connection of the launcher carries all.

It opens with a secret made for one environment and used once. Connections of the runtime are
channels on it, each with ``limits.RELAY_WINDOW_BYTES`` of credit each way, so that neither side
holds more than that for the other. Output written before an answer arrives before it.
"""

import asyncio
import contextlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Self

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.frames import FrameType
from lambdash.engines.link import Channel
from lambdash.engines.protocol import SandboxObserver
from lambdash.engines.relayed import RelayedTransport
from lambdash.errors import PlatformError

__all__ = ["RelayChannel", "RelayListener", "new_secret"]


def new_secret() -> str:
    """A secret for ``LAMBDASH_RELAY_SECRET`` and ``expect``: 64 hex digits."""
    return secrets.token_hex(32)


class RelayListener:
    """A TCP address launchers connect to. Strangers are cut off: bounded in number and in time."""

    def __init__(self) -> None:
        self._expected: dict[bytes, asyncio.Future[RelayChannel]] = {}
        self._strangers: set[RelayChannel] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @classmethod
    async def open(cls, host: str, port: int = 0) -> Self:
        """Listen at an address that containers reach; raises ``PlatformError``."""
        listener = cls()
        loop = asyncio.get_running_loop()
        try:
            listener._server = await loop.create_server(listener._stranger, host, port)
        except OSError as error:
            raise PlatformError("relay-listen", f"cannot listen at {host}: {error}") from error
        listener.port = listener._server.sockets[0].getsockname()[1]
        return listener

    def expect(self, secret: str) -> Awaitable[Channel]:
        """The channel of the launcher that will know ``secret``; cancel it to expect no more."""
        waiting: asyncio.Future[RelayChannel] = asyncio.get_running_loop().create_future()
        key = secret.encode()
        self._expected[key] = waiting
        waiting.add_done_callback(lambda _: self._expected.pop(key, None))
        return waiting

    def close(self) -> None:
        """Accept no more; channels that were handed over live on. Idempotent."""
        if self._server is not None:
            self._server.close()
        for stranger in list(self._strangers):
            stranger.close()
        for waiting in list(self._expected.values()):
            waiting.cancel()

    def _stranger(self) -> "RelayChannel":
        channel = RelayChannel(self._introduce, self._strangers.discard)
        if len(self._strangers) >= limits.RELAY_STRANGERS_MAX:
            channel.close()
        else:
            self._strangers.add(channel)
        return channel

    def _introduce(self, channel: "RelayChannel", secret: bytes) -> bool:
        """Whether somebody waits for this secret; each comparison takes the same time."""
        found = [key for key in self._expected if hmac.compare_digest(key, secret)]
        self._strangers.discard(channel)
        if not found or self._expected[found[0]].done():
            return False
        self._expected.pop(found[0]).set_result(channel)
        return True


class RelayChannel(Channel):
    """A launcher elsewhere: its clock is not ours, so things are stamped as they arrive."""

    def __init__(
        self,
        introduce: Callable[["RelayChannel", bytes], bool],
        forget: Callable[["RelayChannel"], None],
    ) -> None:
        super().__init__(runtime_port=0)
        self._introduce = introduce
        self._forget = forget
        self._known = False
        self._relayed: dict[int, RelayedTransport] = {}
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(limits.LAUNCHER_CONNECT_MAX_S, self.close)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._ending and self._transport is not None:
            self._transport.abort()

    def drain_output(self) -> None:
        """Nothing to do: what was written before an answer has arrived before it."""

    def _on_frame(self, kind: FrameType, channel: int, payload: bytes) -> None:
        if self._known:
            super()._on_frame(kind, channel, payload)
            return
        if kind is not FrameType.HELLO:
            raise frames.protocol_error("no greeting")
        hello = frames.decode_hello(payload)
        self._patience.cancel()
        self.runtime_port, self.launcher_pid = hello.port, hello.pid
        self.gateway_port = hello.gateway_port
        if not self._introduce(self, hello.secret):
            raise frames.protocol_error("a secret nobody expects")
        self._known = True

    def _on_relayed(self, kind: FrameType, channel: int, payload: bytes) -> None:
        if self._observer is None:
            raise frames.protocol_error(f"{kind.name} before its assignment")
        match kind:
            case FrameType.STDOUT:
                self._observer.output("stdout", payload)
            case FrameType.STDERR:
                self._observer.output("stderr", payload)
            case FrameType.EXTENSION_OUTPUT:
                self._observer.output("extension", payload)
            case FrameType.OPEN:
                late = self._is_resetting()
                known = None if late else self._observer.runtime_connection()
                self._open(channel, known)
            case FrameType.OPEN_GATEWAY:
                late = self.gateway is None or self._is_resetting()
                self._open(channel, None if late or self.gateway is None else self.gateway())
            case FrameType.CONNECTED:
                self._connected(channel, frames.decode_number(payload))
            case FrameType.DATA | FrameType.END | FrameType.CLOSE | FrameType.CREDIT:
                self._on_channel(kind, channel, payload)
            case _:
                raise frames.protocol_error(f"an unexpected frame {kind.name}")

    def _connected(self, channel: int, token: int) -> None:
        protocol = self.inward.protocol(token)
        transport = self._open(channel, protocol)
        if protocol is not None:
            self.inward.opened(token, transport)

    def _open(self, channel: int, protocol: asyncio.Protocol | None) -> RelayedTransport:
        """A connection of its own for the channel; without a protocol it is one too late."""
        if channel in self._relayed or channel >= limits.RELAY_CHANNELS_MAX:
            raise frames.protocol_error(f"an opening of channel {channel}")

        def send(kind: FrameType, data: bytes) -> None:
            self._send(frames.encode(kind, data, channel))

        transport = RelayedTransport(send, protocol or asyncio.Protocol())
        self._relayed[channel] = transport
        transport.begin()
        if protocol is None:
            transport.abort()
        return transport

    def _on_channel(self, kind: FrameType, channel: int, payload: bytes) -> None:
        transport = self._relayed.get(channel)
        if transport is None:
            raise frames.protocol_error(f"{kind.name} on channel {channel}, which is closed")
        match kind:
            case FrameType.DATA:
                transport.feed(payload)
            case FrameType.END:
                transport.feed_end()
            case FrameType.CREDIT:
                transport.grant(frames.decode_number(payload))
            case _:
                del self._relayed[channel]
                transport.closed_by_peer()

    def _begin(self, observer: SandboxObserver) -> None:
        """Connections arrive as frames, which need no start."""

    def _hold_connections(self) -> None:
        """The launcher closes the old life's channels before it starts the new one; so do we."""
        for transport in self._relayed.values():
            transport.abort()

    def _resume_connections(self, observer: SandboxObserver) -> None:
        """Frames were never held: those of the new life come after those that end the old one."""

    def _connections_finished(self) -> bool:
        """The launcher has sent all it had before it told the exit."""
        return True

    def _started_at(self, launcher_s: float, asked_s: float) -> float:
        return time.monotonic()

    def _release(self) -> None:
        self._patience.cancel()
        self._forget(self)
        for transport in self._relayed.values():
            with contextlib.suppress(PlatformError):
                transport.closed_by_peer()
        self._relayed.clear()

    def connection_lost(self, error: Exception | None) -> None:
        self._release()
        super().connection_lost(error)
