"""One relayed connection of a runtime, as the transport an ``asyncio.Protocol`` expects."""

import asyncio
from collections.abc import Callable
from typing import Any

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.frames import FrameType

_HIGH_WATER_BYTES = 64 * 1024
_CHUNK_BYTES = 32 * 1024
_GRANT_FROM_BYTES = limits.RELAY_WINDOW_BYTES // 2


class RelayedTransport(asyncio.Transport):
    """Sends within the launcher's credit, and grants credit only for what the protocol consumed.

    ``send`` puts a frame of this connection on the wire. Each side closes once.
    """

    def __init__(
        self, send: Callable[[FrameType, bytes], None], protocol: asyncio.Protocol
    ) -> None:
        super().__init__()
        self._send = send
        self._protocol: asyncio.BaseProtocol = protocol
        self._loop = asyncio.get_running_loop()
        self._outgoing = bytearray()
        self._credit = limits.RELAY_WINDOW_BYTES
        self._waiting = bytearray()
        self._consumed = 0
        self._reading_paused = False
        self._writing_paused = False
        self._closing = False
        self._close_sent = False
        self._end_wanted = False
        self._end_sent = False
        self._ended = False
        self._end_told = False
        self._lost = False

    def begin(self) -> None:
        """Introduce the transport to its protocol."""
        self._protocol.connection_made(self)

    # what arrives

    def feed(self, data: bytes) -> None:
        """Bytes from the runtime; raises ``PlatformError`` when they exceed the granted credit."""
        if len(self._waiting) + self._consumed + len(data) > limits.RELAY_WINDOW_BYTES:
            raise frames.protocol_error("more than its credit")
        if self._closing:
            self._consume(len(data))
        elif self._reading_paused or self._waiting:
            self._waiting += data
        else:
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        assert isinstance(self._protocol, asyncio.Protocol)
        self._protocol.data_received(data)
        self._consume(len(data))

    def _consume(self, size: int) -> None:
        self._consumed += size
        if self._consumed >= _GRANT_FROM_BYTES and not self._close_sent:
            grant, self._consumed = self._consumed, 0
            self._send(FrameType.CREDIT, grant.to_bytes(4, "big"))

    def feed_end(self) -> None:
        """The runtime will send no more."""
        self._ended = True
        if not self._waiting:
            self._deliver_end()

    def _deliver_end(self) -> None:
        if self._closing:
            return
        self._end_told = True
        assert isinstance(self._protocol, asyncio.Protocol)
        if not self._protocol.eof_received():
            self.close()

    def grant(self, size: int) -> None:
        """The launcher passed that many bytes on to the runtime."""
        self._credit += size
        if self._credit > limits.RELAY_WINDOW_BYTES:
            raise frames.protocol_error("credit beyond the window")
        self._flush()

    def closed_by_peer(self) -> None:
        """The launcher closed the connection, or its own connection is gone."""
        self._outgoing.clear()
        self._send_close()
        self._closing = True
        self._lose()

    # what the protocol asks for

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if self._closing or self._end_wanted:
            return
        if not self._outgoing and len(data) <= min(self._credit, _CHUNK_BYTES):
            self._credit -= len(data)
            self._send(FrameType.DATA, bytes(data))
            return
        self._outgoing += data
        self._flush()
        if len(self._outgoing) > _HIGH_WATER_BYTES and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def _flush(self) -> None:
        while self._outgoing and self._credit:
            chunk = bytes(self._outgoing[: min(self._credit, _CHUNK_BYTES)])
            del self._outgoing[: len(chunk)]
            self._credit -= len(chunk)
            self._send(FrameType.DATA, chunk)
        if self._outgoing:
            return
        if self._writing_paused and not self._lost:
            self._writing_paused = False
            self._protocol.resume_writing()
        if self._closing:
            self._send_close()
            self._lose()
        elif self._end_wanted:
            self._send_end()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not (self._end_wanted or self._closing):
            self._end_wanted = True
            if not self._outgoing:
                self._send_end()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._waiting.clear()
            self._flush()

    def abort(self) -> None:
        if not self._close_sent:
            self._outgoing.clear()
            self._closing = True
            self._flush()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading_paused = True

    def resume_reading(self) -> None:
        self._reading_paused = False
        self._loop.call_soon(self._pour)  # never inside the protocol's own data_received

    def _pour(self) -> None:
        if self._reading_paused or self._closing:
            return
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            self._deliver(data)
        if self._ended and not self._waiting and not self._end_told:
            self._deliver_end()

    def is_reading(self) -> bool:
        return not (self._reading_paused or self._closing)

    def get_write_buffer_size(self) -> int:
        return len(self._outgoing)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return 0, _HIGH_WATER_BYTES

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The bounds are the relay's own; a protocol's wishes change nothing."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def _send_end(self) -> None:
        if not self._end_sent:
            self._end_sent = True
            self._send(FrameType.END, b"")

    def _send_close(self) -> None:
        if not self._close_sent:
            self._close_sent = True
            self._send(FrameType.CLOSE, b"")

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._protocol.connection_lost, None)
