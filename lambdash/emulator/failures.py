"""AWS's words for a function that timed out, exited or was killed: outcomes from facts, pure.

Texts as recorded from AWS; the names of signals are those of Go, in which AWS's own runtime
supervisor prints them.
"""

import json
import re
from collections.abc import Callable

from lambdash import limits
from lambdash.engines.protocol import SandboxExit
from lambdash.errors import FunctionError, LambdashError, PlatformError
from lambdash.model import Crashed, InitFailed, Outcome, PlatformFailed, TimedOut, error_document
from lambdash.pool import FailCause, StopReason
from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import ExtensionFailed
from lambdash.storage.functions import DeployedFunction

_SIGNALS = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    11: "segmentation fault",
    12: "user defined signal 2",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
}

_PYTHON_FRAME = re.compile(rb'File \\"[^"]*?([^/"\\]+)\\", line (\d+)')
_NODE_FRAME = re.compile(rb"/([^/:()\"\\]+\.[cm]?js):(\d+):\d+")
_PLATFORM_TYPE = re.compile(r"(Runtime|Function|Extension)\.[A-Z][A-Za-z]+")
# the others are failures
_SHUTDOWN_REASONS = {
    StopReason.IDLE: ShutdownReason.SPINDOWN,
    StopReason.SUPERSEDED: ShutdownReason.SPINDOWN,
    StopReason.EVICTED: ShutdownReason.SPINDOWN,
    StopReason.SHUTDOWN: ShutdownReason.SPINDOWN,
    StopReason.TIMED_OUT: ShutdownReason.TIMEOUT,
}


def timed_out(request_id: str, timeout_s: float) -> TimedOut:
    """AWS's ``Sandbox.Timedout``."""
    message = f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    return TimedOut(error_document("Sandbox.Timedout", message))


def exit_message(exit: SandboxExit) -> str:
    """``Runtime exited with error: signal: killed`` and its kin."""
    if exit.signal is None and not exit.exit_code:
        return "Runtime exited without providing a reason"
    return f"Runtime exited with error: {how_it_ended(exit)}"


def how_it_ended(exit: SandboxExit) -> str:
    """``signal: killed``, ``exit status 1``; an extension that just leaves has ``exit code 0``."""
    if exit.signal is not None:
        return f"signal: {_SIGNALS.get(exit.signal, f'signal {exit.signal}')}"
    return f"exit status {exit.exit_code}" if exit.exit_code else "exit code 0"


def exit_type(exit: SandboxExit) -> str:
    """AWS's name for it: memory is told from the rest."""
    return "Runtime.OutOfMemory" if exit.out_of_memory else "Runtime.ExitError"


def platform_type(error_type: str | None) -> str:
    """The error type that AWS's own records show for one that a runtime named."""
    known = error_type is not None and _PLATFORM_TYPE.fullmatch(error_type)
    return str(error_type) if known else "Runtime.Unknown"


def crashed(request_id: str, exit: SandboxExit) -> Crashed:
    """The runtime process ended while it had an invocation."""
    return Crashed(
        payload=error_document(
            exit_type(exit), f"RequestId: {request_id} Error: {exit_message(exit)}"
        ),
        exit_code=exit.exit_code,
        signal=exit.signal,
        out_of_memory=exit.out_of_memory,
    )


def init_exited(request_id: str, exit: SandboxExit) -> InitFailed:
    """The runtime process ended before its first ``/next``."""
    message = f"RequestId: {request_id} Error: {exit_message(exit)}"
    return InitFailed(error_document(exit_type(exit), message), exited=True)


def extension_failed(request_id: str, failed: ExtensionFailed, *, initialised: bool) -> Outcome:
    """An extension ended or gave up: ``Extension.Crash`` and its kin, whatever the runtime does."""
    message = f"RequestId: {request_id} Error: {failed.detail}"
    payload = error_document(failed.error_type, message)
    return Crashed(payload) if initialised else InitFailed(payload)


def shutdown_reason(reason: StopReason) -> ShutdownReason:
    """What the SHUTDOWN event says of a stop."""
    return _SHUTDOWN_REASONS.get(reason, ShutdownReason.FAILURE)


def init_reported(body: bytes) -> InitFailed:
    """The runtime described its own failure by ``/init/error``; its words are the answer."""
    return InitFailed(body)


def gave_up(error: Exception) -> Callable[[str], PlatformFailed]:
    """The engine, or lambdash itself, could not do what an environment needs."""
    failed = PlatformFailed("internal-error", f"{type(error).__name__}: {error}")
    if isinstance(error, LambdashError):
        failed = PlatformFailed(error.code, error.message, error.hint)
    return lambda _: failed


def without_detail(cause: FailCause) -> PlatformFailed:
    """What the pool itself gave up."""
    texts = {
        FailCause.REDISPATCHES_EXHAUSTED: "the runtime went away each time it was handed over",
        FailCause.FUNCTION_REMOVED: "the function was removed while the invocation waited",
        FailCause.SHUTDOWN: "the daemon is stopping",
    }
    code = cause.value.replace("_", "-")
    return PlatformFailed(code, texts.get(cause, "the environment was lost"))


def words(payload: bytes) -> tuple[str | None, str | None]:
    """Message and type of an error document; None for what is not there."""
    if len(payload) > limits.ERROR_DOCUMENT_READ_MAX_BYTES:
        return None, None
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(document, dict):
        return None, None
    found = (document.get("errorMessage"), document.get("errorType"))
    message, error_type = (each if isinstance(each, str) else None for each in found)
    return message, error_type


def _described(payload: bytes) -> str:
    """Type and message of an error document, or the document where it has another shape."""
    message, error_type = words(payload)
    if message is None or error_type is None:
        return payload.decode("utf-8", "replace")
    # Python's traceback and Node's stack, as the official clients send them; the last of Python's
    # frames is where it was raised, the first of Node's
    frames = _PYTHON_FRAME.findall(payload)[-1:] or _NODE_FRAME.findall(payload)[:1]
    where = [f" ({file.decode('utf-8', 'replace')}, line {int(line)})" for file, line in frames]
    return f"{error_type}: {message}{''.join(where)}"


def raise_unless_ready(deployed: DeployedFunction, outcome: Outcome | None) -> None:
    """Raise ``FunctionError`` or ``PlatformError`` for how an init ended; None is well."""
    name = deployed.function.name
    match outcome:
        case None:
            return
        case PlatformFailed(code, message, hint):
            raise PlatformError(code, message, hint)
        case InitFailed(payload) | TimedOut(payload):
            raise FunctionError(
                "init-failed",
                f"`{name}` did not initialise: {_described(payload)}",
                f"`lambdash logs {name}` has the rest",
            )
        case _:
            raise FunctionError("init-failed", f"`{name}` did not initialise ({outcome.kind})")
