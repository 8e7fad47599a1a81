"""InvokeWithResponseStream: the response as it is made, in frames of an event stream.

https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html; the framing:
https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import base64
import json
import struct
import zlib
from functools import lru_cache, partial

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationResult
from lambdash.emulator.streaming import Flow, ResponseHead
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import Refusal, refuse
from lambdash.lambda_api.invoke import invocation_type, read_invocation, refuse_unserved
from lambdash.model import PlatformFailed, Succeeded, Throttled

_PREFIX = "/2021-11-15/functions/"
_SUFFIX = "/response-streaming-invocations"
_TYPES = (b"RequestResponse", b"DryRun")
_STREAM_TYPE = (b"content-type", b"application/vnd.amazon.eventstream")
_PRELUDE = struct.Struct("!II")
_WORD = struct.Struct("!I")
_STRING = 7


def matches(request: Request) -> bool:
    """Whether a request is an InvokeWithResponseStream."""
    path = request.path
    return request.method == "POST" and path.startswith(_PREFIX) and path.endswith(_SUFFIX)


def invoke_with_response_stream(emulator: Emulator, request: Request, responder: Responder) -> None:
    """Run the function; the head of the answer is sent with the first of its response."""
    request_id = emulator.new_request_id()
    try:
        name, options = read_invocation(emulator, request, request_id)
        kind = invocation_type(request, _TYPES)
    except Refusal as refusal:
        refuse(responder, request_id, refusal.status, refusal.error)
        return
    if kind == b"DryRun":
        responder.send(204, [(b"x-amzn-requestid", request_id.encode())], b"")
        return
    stream = EventStream(responder, request_id, tail=options.tail)
    responder.on_disconnect = partial(stream.caller_gone, emulator)
    emulator.invoke(name, request.body or b"{}", options._replace(sink=stream), stream.complete)


class EventStream:
    """The answer to one caller (a ``ResponseSink``): it holds nothing of the response."""

    __slots__ = ("_flow", "_request_id", "_responder", "_tail")

    def __init__(self, responder: Responder, request_id: str, *, tail: bool) -> None:
        self._responder = responder
        self._request_id = request_id
        self._tail = tail
        self._flow: Flow | None = None

    def begin(self, head: ResponseHead, flow: Flow) -> None:
        """The runtime streams: from here on its caller's pace is the runtime's."""
        if not self._responder.is_open:
            return
        self._flow = flow
        self._responder.on_writable = flow.resume_body
        self._start(head.executed_version)

    def data(self, chunk: bytes) -> None:
        """One frame for each piece."""
        responder = self._responder
        if not responder.is_open:
            return
        responder.write(frame("PayloadChunk", "application/octet-stream", chunk))
        if responder.is_congested and self._flow is not None:
            self._flow.pause_body()

    def complete(self, result: InvocationResult) -> None:
        """How the invocation ended; a response that was not streamed comes with it."""
        outcome, responder = result.outcome, self._responder
        if not responder.is_open:
            return
        if responder.is_waiting:
            if isinstance(outcome, Throttled | PlatformFailed):
                refuse_unserved(responder, self._request_id, outcome)
                return
            self._start(result.executed_version)
        if isinstance(outcome, Succeeded):
            for start in range(0, len(outcome.payload), limits.STREAM_FRAME_MAX_BYTES):
                self.data(outcome.payload[start : start + limits.STREAM_FRAME_MAX_BYTES])
        responder.write(frame("InvokeComplete", "application/json", self._completion(result)))
        responder.end()

    def caller_gone(self, emulator: Emulator) -> None:
        """Nobody reads any more: the runtime need not wait for them."""
        emulator.caller_gone(self._request_id)
        if self._flow is not None:
            self._flow.resume_body()

    def _start(self, version: str) -> None:
        headers = (
            _STREAM_TYPE,
            (b"x-amz-executed-version", version.encode()),
            (b"x-amzn-requestid", self._request_id.encode()),
        )
        self._responder.start(200, list(headers))

    def _completion(self, result: InvocationResult) -> bytes:
        outcome = result.outcome
        document = {}
        if isinstance(outcome, Throttled | PlatformFailed):
            document = {"ErrorCode": "ServiceException", "ErrorDetails": "the invocation was lost"}
        elif not isinstance(outcome, Succeeded):
            details = outcome.payload.decode("utf-8", "replace")
            document = {"ErrorCode": "Unhandled", "ErrorDetails": details}
        if self._tail and result.log_tail is not None:
            document["LogResult"] = base64.b64encode(result.log_tail).decode()
        return json.dumps(document, separators=(",", ":")).encode()


def frame(event: str, content_type: str, payload: bytes) -> bytes:
    """One event of an event stream."""
    headers = _headers(event, content_type)
    length = _PRELUDE.size + 2 * _WORD.size + len(headers) + len(payload)
    prelude = _PRELUDE.pack(length, len(headers))
    head = prelude + _WORD.pack(zlib.crc32(prelude)) + headers
    return b"".join((head, payload, _WORD.pack(zlib.crc32(payload, zlib.crc32(head)))))


@lru_cache(maxsize=2)
def _headers(event: str, content_type: str) -> bytes:
    fields = {":event-type": event, ":content-type": content_type, ":message-type": "event"}
    return b"".join(_header(name, value) for name, value in fields.items())


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text
