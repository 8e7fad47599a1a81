"""One request to run a function once."""

from typing import NamedTuple


class Invocation(NamedTuple):
    """What one caller asked for. ``client_context`` is JSON text.

    ``cold`` asks for a fresh environment even when a warm one is idle.
    """

    request_id: str
    function_name: str
    payload: bytes
    trace_id: str
    client_context: str | None = None
    cognito_identity: str | None = None
    tail: bool = False
    cold: bool = False
