"""What extensions send: bounded JSON objects."""

import json
from typing import Any

from lambdash import limits


def parse_object(body: bytes) -> dict[str, Any] | str:
    """The object, or what is wrong with it."""
    if len(body) > limits.EXTENSION_BODY_MAX_BYTES:
        return f"the body has more than {limits.EXTENSION_BODY_MAX_BYTES} bytes"
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        return str(error)
    return document if isinstance(document, dict) else "the body is not a JSON object"
