"""AWS's words for a function that timed out, exited or was killed: outcomes from facts, pure.

Texts as recorded from AWS; the names of signals are those of Go, in which AWS's own runtime
supervisor prints them.
"""

import json

from lambdash.engines.protocol import SandboxExit
from lambdash.errors import FunctionError, PlatformError
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
    if exit.signal is not None:
        name = _SIGNALS.get(exit.signal, f"signal {exit.signal}")
        return f"Runtime exited with error: signal: {name}"
    if exit.exit_code:
        return f"Runtime exited with error: exit status {exit.exit_code}"
    return "Runtime exited without providing a reason"


def crashed(request_id: str, exit: SandboxExit) -> Crashed:
    """The runtime process ended while it had an invocation."""
    return Crashed(
        payload=error_document(
            "Runtime.ExitError", f"RequestId: {request_id} Error: {exit_message(exit)}"
        ),
        exit_code=exit.exit_code,
        signal=exit.signal,
        out_of_memory=exit.out_of_memory,
    )


def init_exited(request_id: str, exit: SandboxExit) -> InitFailed:
    """The runtime process ended before its first ``/next``."""
    message = f"RequestId: {request_id} Error: {exit_message(exit)}"
    return InitFailed(error_document("Runtime.ExitError", message))


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


def without_detail(cause: FailCause) -> PlatformFailed:
    """What the pool itself gave up."""
    texts = {
        FailCause.REDISPATCHES_EXHAUSTED: "the runtime went away each time it was handed over",
        FailCause.FUNCTION_REMOVED: "the function was removed while the invocation waited",
        FailCause.SHUTDOWN: "the daemon is stopping",
    }
    code = cause.value.replace("_", "-")
    return PlatformFailed(code, texts.get(cause, "the environment was lost"))


def _described(payload: bytes) -> str:
    """Type and message of an error document, or the document where it has another shape."""
    text = payload.decode("utf-8", "replace")
    try:
        document = json.loads(text)
        return f"{document['errorType']}: {document['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return text


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
