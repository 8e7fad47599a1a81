"""Sessions as tests make them: identifiers that count, and an identity to recognise."""

import itertools

from lambdash.runtime_api.extension_messages import FunctionIdentity
from lambdash.runtime_api.session import Session

IDENTITY = FunctionIdentity("hello", "$LATEST", "app.handler", "000000000000")


def identifier(number: int) -> str:
    """The ``number``-th identifier (from 0) that a session hands out."""
    return f"00000000-0000-4000-a000-{number:012x}"


def new_session() -> Session:
    """A session of a function that has not been heard of yet."""
    numbers = itertools.count()
    return Session(IDENTITY, lambda: identifier(next(numbers)))
