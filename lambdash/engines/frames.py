"""The frames spoken between the daemon and the launcher; ``launcher.h`` holds the other end.

A frame is type (1 byte), zero (1), channel (2), length (4), then that many bytes, big-endian.
What a launcher sends is checked as a stranger's: hostile code may have taken its place.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from lambdash import limits
from lambdash.engines.protocol import SandboxExit
from lambdash.errors import CallerError, PlatformError

PROTOCOL_VERSION = 4
_HEADER = struct.Struct("!BxHI")
_HELLO = struct.Struct("!IIII")
_STARTED = struct.Struct("!IQ")
_EXITED = struct.Struct("!iiIQ")
_ASSIGN = struct.Struct("!IIIHHH")
_U32 = struct.Struct("!I")
_PAIR = struct.Struct("!II")
_EXTENSION_EXITED = struct.Struct("!iI")
_KEEP = 0xFFFF_FFFF


class FrameType(IntEnum):
    """Who sends what is in ``launcher.h``."""

    HELLO = 1
    STARTED = 2
    EXITED = 3
    DONE = 4
    STDOUT = 5
    STDERR = 6
    OPEN = 7
    DATA = 8
    END = 9
    CLOSE = 10
    CREDIT = 11
    EXTENSIONS = 12
    EXTENSION_EXITED = 13
    QUIET = 14
    EXTENSION_OUTPUT = 15
    ASSIGN = 16
    RESET = 17
    SHUTDOWN = 18
    START = 19
    RETIRE = 20
    CONNECT = 21
    CONNECTED = 22
    REFUSED = 23
    FREEZE = 24
    THAW = 25
    OPEN_GATEWAY = 26


# https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html
_WITHHELD_FROM_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_AWS_XRAY_DAEMON_ADDRESS",
        "_AWS_XRAY_DAEMON_PORT",
        "_HANDLER",
    }
)


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Bounds of the runtime process; None keeps what the sandbox has.

    ``memory_mb`` is watched five times a second, for the runtime and its descendants together:
    where a cgroup limits memory, the kernel does better.
    """

    open_files: int | None = limits.FILE_DESCRIPTORS_MAX
    core_bytes: int | None = 0
    memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the launcher is to run: nothing of its own environment reaches the runtime.

    ``arguments[0]`` without a slash is looked up on the ``PATH`` among ``variables``. Every file
    of the folder ``extensions`` is started first, where there is any.
    """

    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    working_directory: str
    limits: ProcessLimits | None = None
    extensions: str = ""


@dataclass(frozen=True, slots=True)
class Hello:
    """A launcher's first words; ``secret`` is empty but through a relay.

    ``gateway_port`` is 0 where it was not told to open one.
    """

    pid: int
    port: int
    gateway_port: int
    secret: bytes


def encode(kind: FrameType, payload: bytes = b"", channel: int = 0) -> bytes:
    """One whole frame."""
    return _HEADER.pack(kind, channel, len(payload)) + payload


def encode_number(kind: FrameType, number: int, channel: int = 0) -> bytes:
    """A frame whose payload is one unsigned 32-bit number."""
    return encode(kind, _U32.pack(number), channel)


def encode_assignment(assignment: Assignment) -> bytes:
    """Raises ``CallerError`` for what no process can be started with."""
    withheld: list[str] = []
    shared: list[str] = []
    for name, value in assignment.variables:
        group = withheld if name in _WITHHELD_FROM_EXTENSIONS else shared
        group.append(f"{name}={value}")
    variables = [*withheld, *shared]
    folders = [assignment.working_directory, assignment.extensions]
    strings = [*folders, *assignment.arguments, *variables]
    if any("\0" in text for text in strings):
        raise CallerError("nul-in-variable", "a NUL character cannot be in a variable or argument")
    text = b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in strings)
    counts = len(assignment.arguments), len(variables), len(withheld)
    if len(text) > limits.ASSIGNMENT_MAX_BYTES or max(counts) > limits.ASSIGNMENT_MAX_STRINGS:
        raise CallerError(
            "variables-too-large",
            f"variables and arguments take {len(text):,} bytes",
            f"at most {limits.ASSIGNMENT_MAX_BYTES:,} bytes can be handed to a runtime",
        )
    bounds = assignment.limits or ProcessLimits(None, None, None)
    words = (bounds.open_files, bounds.core_bytes, bounds.memory_mb)
    head = _ASSIGN.pack(*map(_word, words), *counts)
    return encode(FrameType.ASSIGN, head + text)


def _word(bound: int | None) -> int:
    return _KEEP if bound is None else min(bound, _KEEP - 1)


def decode_hello(payload: bytes) -> Hello:
    """Raises ``PlatformError`` for another version of the protocol."""
    version, pid, port, gateway = _unpack(_HELLO, payload[: _HELLO.size])
    if version != PROTOCOL_VERSION or not 0 < port < 65536 or gateway >= 65536:
        raise protocol_error(f"a greeting of version {version}, port {port}")
    return Hello(pid, port, gateway, payload[_HELLO.size :])


def decode_started(payload: bytes) -> tuple[int, float]:
    """The runtime's pid in its own namespace, and the launcher's monotonic seconds at its fork."""
    pid, at_ns = _unpack(_STARTED, payload)
    return pid, at_ns / 1e9


def decode_exited(payload: bytes) -> SandboxExit:
    """How the runtime process ended, as the launcher saw it."""
    code, signal, out_of_memory, peak = _unpack(_EXITED, payload)
    return SandboxExit(
        exit_code=None if code < 0 else code,
        signal=signal or None,
        out_of_memory=bool(out_of_memory),
        max_memory_bytes=peak or None,
    )


def decode_names(payload: bytes) -> tuple[str, ...]:
    """The names of the extensions that were started."""
    return tuple(name.decode("utf-8", "surrogateescape") for name in payload.split(b"\0")[:-1])


def decode_extension_exited(payload: bytes) -> tuple[str, SandboxExit]:
    """Which extension ended, and how."""
    code, signal = _unpack(_EXTENSION_EXITED, payload[: _EXTENSION_EXITED.size])
    name = payload[_EXTENSION_EXITED.size :].decode("utf-8", "surrogateescape")
    return name, SandboxExit(exit_code=None if code < 0 else code, signal=signal or None)


def encode_pair(kind: FrameType, first: int, second: int) -> bytes:
    """A frame whose payload is two unsigned 32-bit numbers."""
    return encode(kind, _PAIR.pack(first, second))


def decode_pair(payload: bytes) -> tuple[int, int]:
    """The two unsigned 32-bit numbers a payload consists of."""
    first, second = _unpack(_PAIR, payload)
    return first, second


def decode_number(payload: bytes) -> int:
    """The unsigned 32-bit number a payload consists of."""
    number: int = _unpack(_U32, payload)[0]
    return number


def _unpack(layout: struct.Struct, payload: bytes) -> tuple[int, ...]:
    if len(payload) != layout.size:
        raise protocol_error(f"{len(payload)} bytes where {layout.size} belong")
    return layout.unpack(payload)


def protocol_error(what: str) -> PlatformError:
    """The error for bytes no launcher of this version sends."""
    return PlatformError(
        "launcher-protocol",
        f"the launcher sent {what}",
        "the sandbox's own process was replaced, or is of another version of lambdash",
    )


class FrameReader:
    """Cuts a stream into frames; holds at most one incomplete frame of bounded length."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[FrameType, int, bytes]]:
        """Each complete frame as (type, channel, payload); raises ``PlatformError`` on nonsense."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= _HEADER.size:
                kind, channel, length = _HEADER.unpack_from(buffer, at)
                if length > limits.LAUNCHER_FRAME_MAX_BYTES or kind not in _KNOWN:
                    raise protocol_error(f"a frame of type {kind} and {length} bytes")
                end = at + _HEADER.size + length
                if len(buffer) < end:
                    break
                payload = bytes(buffer[at + _HEADER.size : end])
                at = end
                yield FrameType(kind), channel, payload
        finally:
            del buffer[:at]


_KNOWN = frozenset(int(kind) for kind in FrameType)
