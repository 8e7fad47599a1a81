"""One request to run a function once."""

from typing import NamedTuple


class Target(NamedTuple):
    """Which version answers: ``key`` is what the pool routes by.

    ``arn`` is the function's, qualified as the caller asked (``context.invoked_function_arn``).
    """

    name: str
    version: str
    key: str
    arn: str


class Invocation(NamedTuple):
    """What one caller asked for. ``client_context`` is JSON text.

    ``cold`` asks for a fresh environment even when a warm one is idle.
    """

    request_id: str
    target: Target
    payload: bytes
    trace_id: str
    client_context: str | None = None
    cognito_identity: str | None = None
    tail: bool = False
    cold: bool = False
