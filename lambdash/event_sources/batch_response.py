"""Partial batch responses: which items of a batch a function says have failed. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: an empty or absent
list is success; invalid JSON, an empty or an unknown identifier is the failure of the whole batch.
"""

import json
from collections.abc import Sequence


def failed_identifiers(payload: bytes, identifiers: Sequence[str]) -> frozenset[str]:
    """The identifiers of the batch that must be tried again."""
    everything = frozenset(identifiers)
    try:
        found = frozenset(_told(payload))
    except (ValueError, TypeError, KeyError, RecursionError):
        return everything
    return found if found <= everything else everything


def _told(payload: bytes) -> list[str]:
    """What the response lists. Raises for what is no such response."""
    response = json.loads(payload or b"null")
    failures = [] if response is None else dict(response).get("batchItemFailures") or []
    identifiers = [failure["itemIdentifier"] for failure in list(failures)]
    if not all(isinstance(identifier, str) for identifier in identifiers):
        raise TypeError("an identifier is no string")
    return identifiers
