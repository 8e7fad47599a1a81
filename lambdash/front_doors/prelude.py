"""The JSON prelude of a streamed HTTP response: status and headers before the body. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming:
with this content type a JSON document comes first, then eight NUL bytes, then the body.
"""

import json

from lambdash import limits
from lambdash.front_doors.exchange import HttpAnswer
from lambdash.front_doors.payload_v2 import MalformedResponse, structured

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
_SEPARATOR = b"\0" * 8


class PreludeReader:
    """Collects the prelude out of the first pieces of a response."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> tuple[HttpAnswer, bytes] | None:
        """The head and the body's first bytes once they are there; None until then.

        Raises ``MalformedResponse``.
        """
        self._held += chunk
        end = self._held.find(_SEPARATOR)
        if end < 0:
            if len(self._held) > limits.STREAM_PRELUDE_MAX_BYTES:
                raise MalformedResponse("the prelude does not end")
            return None
        return _head(bytes(self._held[:end])), bytes(self._held[end + len(_SEPARATOR) :])


def _head(text: bytes) -> HttpAnswer:
    try:
        document = json.loads(text or b"{}")
    except (ValueError, RecursionError) as error:
        raise MalformedResponse("the prelude is not JSON") from error
    if not isinstance(document, dict):
        raise MalformedResponse("the prelude is no object")
    return structured({"statusCode": 200, **document, "body": None})
