"""What goes into an invocation beside its payload, and what its caller gets back.

Named tuples: each warm invocation makes one of each, and they cost the least.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from lambdash.emulator.streaming import ResponseSink
from lambdash.model import Outcome, Timings
from lambdash.model.arn import LATEST


class InvocationOptions(NamedTuple):
    """``client_context`` is JSON text; ``timings`` holds marks made before, or is None.

    ``cold`` asks for a fresh environment; ``tail`` for the last 4 KB of its log; ``sink`` takes a
    response in pieces as the runtime streams it; ``qualifier`` is a version or an alias,
    None for ``$LATEST``.
    """

    request_id: str
    tail: bool = False
    cold: bool = False
    client_context: str | None = None
    cognito_identity: str | None = None
    trace_id: str | None = None
    timings: Timings | None = None
    sink: ResponseSink | None = None
    qualifier: str | None = None


class InvocationResult(NamedTuple):
    """``start`` is ``cold``, ``parked`` or ``warm``, and None when no environment was reached.

    ``log_tail`` is None unless it was asked for or the function failed.
    """

    request_id: str
    outcome: Outcome
    timings: Timings
    start: str | None = None
    environment_id: str | None = None
    sandbox_id: str | None = None
    log_tail: bytes | None = None
    executed_version: str = LATEST


Done: TypeAlias = Callable[[InvocationResult], None]
