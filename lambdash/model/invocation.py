"""One request to run a function once."""

from enum import Enum
from typing import NamedTuple


class InvocationType(Enum):
    """AWS ``InvocationType``; asynchronous invocation (``Event``) is not built yet."""

    REQUEST_RESPONSE = "RequestResponse"
    DRY_RUN = "DryRun"


class Invocation(NamedTuple):
    """What one caller asked for. ``received_at`` is monotonic seconds; ``client_context`` is JSON.

    ``cold`` asks for a fresh environment even when a warm one is idle.
    """

    request_id: str
    function_name: str
    payload: bytes
    received_at: float
    trace_id: str
    client_context: str | None = None
    cognito_identity: str | None = None
    tail: bool = False
    cold: bool = False
