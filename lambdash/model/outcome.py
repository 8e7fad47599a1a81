"""How an invocation ended. ``kind`` is the word scripts see in ``--json``."""

import json
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The runtime posted ``/response``; ``payload`` is its body, byte for byte."""

    kind: ClassVar[str] = "succeeded"
    payload: bytes


@dataclass(frozen=True, slots=True)
class FunctionFailed:
    """The runtime posted ``/error``; ``payload`` is its error document."""

    kind: ClassVar[str] = "function_failed"
    payload: bytes


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The function's deadline passed; ``payload`` is AWS's ``Sandbox.Timedout`` document."""

    kind: ClassVar[str] = "timed_out"
    payload: bytes


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The runtime reported ``/init/error``, or ended or hung before its first ``/next``.

    ``exited``: its process ended without a word of its own.
    """

    kind: ClassVar[str] = "init_failed"
    payload: bytes
    exited: bool = False


@dataclass(frozen=True, slots=True)
class Crashed:
    """The runtime process ended during the invocation."""

    kind: ClassVar[str] = "crashed"
    payload: bytes
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Throttled:
    """No concurrency was left; ``reason`` is AWS's ``Reason`` value."""

    kind: ClassVar[str] = "throttled"
    reason: str


@dataclass(frozen=True, slots=True)
class PlatformFailed:
    """lambdash or the engine failed; the function is not to blame."""

    kind: ClassVar[str] = "platform_failed"
    code: str
    message: str
    hint: str = ""


Outcome: TypeAlias = (
    Succeeded | FunctionFailed | TimedOut | InitFailed | Crashed | Throttled | PlatformFailed
)


def function_error(outcome: Outcome) -> str | None:
    """The value of ``X-Amz-Function-Error``: ``Unhandled`` on managed runtimes, or None."""
    match outcome:
        case FunctionFailed() | TimedOut() | InitFailed() | Crashed():
            return "Unhandled"
        case _:
            return None


def error_document(error_type: str, message: str) -> bytes:
    """The JSON AWS answers when the platform, not the runtime, describes a function's failure."""
    return json.dumps(
        {"errorType": error_type, "errorMessage": message}, separators=(",", ":")
    ).encode()
