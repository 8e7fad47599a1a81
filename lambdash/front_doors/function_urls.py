"""Function URLs: HTTP straight to a function, by host name or by path.

``http://<url-id>.lambda-url.<region>.localhost:<port>/...`` is AWS's form on this machine (names
below ``localhost`` are the loopback address, RFC 6761); ``/_url/<url-id>/...`` works where such
names are not resolved. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.emulator.streaming import Flow, ResponseHead
from lambdash.front_doors.answers import exchange_of, send
from lambdash.front_doors.cors import cors_of, preflight, shared
from lambdash.front_doors.exchange import HttpAnswer, HttpRequest, json_answer
from lambdash.front_doors.payload_v2 import Context, MalformedResponse, answer, event
from lambdash.front_doors.prelude import CONTENT_TYPE, PreludeReader
from lambdash.http.server import Request, Responder
from lambdash.model import Succeeded, Throttled
from lambdash.model.arn import LATEST
from lambdash.model.connections import Cors

# the kind of setting under which the API keeps ``FunctionUrlConfig``
KIND = "url"
_HOST = re.compile(rb"([a-z0-9]{32})\.lambda-url\.[a-z0-9-]+\.[a-z0-9.-]+(:\d+)?", re.IGNORECASE)
_PATH = re.compile(r"/_url/([a-z0-9]{32})(/.*)?")


class _Door(NamedTuple):
    """One function URL: whose it is, and how it is configured."""

    url_id: str
    name: str
    qualifier: str
    config: Mapping[str, Any]

    @property
    def streams(self) -> bool:
        return self.config.get("InvokeMode") == "RESPONSE_STREAM"


def _asked_for(request: Request) -> tuple[str, str] | None:
    """URL id and path; None for what is no function URL."""
    by_host = _HOST.fullmatch(request.header(b"host") or b"")
    if by_host is not None:
        return by_host[1].decode().lower(), request.path or "/"
    by_path = _PATH.fullmatch(request.path)
    return None if by_path is None else (by_path[1], by_path[2] or "/")


def matches(request: Request) -> bool:
    """Whether a request is for a function URL."""
    return _asked_for(request) is not None


class FunctionUrls:
    """Answers on the loop; ``now`` gives epoch seconds."""

    def __init__(self, emulator: Emulator, now: Callable[[], float]) -> None:
        self._emulator = emulator
        self._now = now
        self._known: dict[str, tuple[str, str]] = {}

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, now or as its function does."""
        asked = _asked_for(request)
        assert asked is not None
        url_id, path = asked
        door = self._door(url_id)
        if door is None:
            return send(responder, json_answer(403, '{"Message":"Forbidden"}'))
        if door.config.get("AuthType") != "NONE":
            message = '{"Message":"Forbidden. AuthType AWS_IAM is not supported by lambdash yet."}'
            return send(responder, json_answer(403, message))
        exchange = exchange_of(request, self._now())
        cors = cors_of(door.config.get("Cors"))
        allowed = None if cors is None else preflight(cors, exchange)
        if allowed is not None:
            return send(responder, allowed)
        return self._invoke(door, exchange, path, Answering(responder, exchange, cors))

    def _invoke(
        self, door: _Door, exchange: HttpRequest, path: str, answering: "Answering"
    ) -> None:
        emulator = self._emulator
        request_id = emulator.new_request_id()
        context = Context(
            account_id="anonymous",
            api_id=door.url_id,
            domain_name=exchange.header("host") or "",
            request_id=request_id,
        )
        payload = json.dumps(event(exchange, path, context), separators=(",", ":")).encode()
        if len(payload) > limits.REQUEST_PAYLOAD_MAX_BYTES:
            message = f"Request must be smaller than {limits.REQUEST_PAYLOAD_MAX_BYTES} bytes"
            return send(answering.responder, json_answer(413, json.dumps({"Message": message})))
        options = InvocationOptions(
            request_id=request_id,
            qualifier=None if door.qualifier == LATEST else door.qualifier,
            trace_id=exchange.header("x-amzn-trace-id"),
            sink=answering if door.streams else None,
        )
        responder = answering.responder
        responder.on_disconnect = partial(answering.caller_gone, emulator, request_id)
        return emulator.invoke(door.name, payload, options, answering.complete)

    def _door(self, url_id: str) -> _Door | None:
        """The function behind a URL id, looked for among all when it is not known."""
        name, qualifier = self._known.get(url_id, ("", ""))
        config = self._emulator.registry.setting(KIND, name, qualifier)
        if config is None or config.get("UrlId") != url_id:
            self._known = {
                str(document.get("UrlId")): (function, place)
                for function in self._emulator.registry.functions
                for place, document in self._emulator.registry.settings(KIND, function).items()
            }
            name, qualifier = self._known.get(url_id, ("", ""))
            config = self._emulator.registry.setting(KIND, name, qualifier)
        if config is None or self._emulator.registry.target(name, qualifier) is None:
            return None
        return _Door(url_id, name, qualifier, config)


class Answering:
    """The answer to one request (and the ``ResponseSink`` of one that is streamed)."""

    def __init__(self, responder: Responder, request: HttpRequest, cors: Cors | None) -> None:
        self.responder = responder
        self._request = request
        self._cors = cors
        self._flow: Flow | None = None
        self._prelude: PreludeReader | None = None
        self._broken = False

    def begin(self, head: ResponseHead, flow: Flow) -> None:
        """The runtime streams: its head is the answer's, or is still to come in a prelude."""
        self._flow = flow
        if not self.responder.is_open:
            return
        self.responder.on_writable = flow.resume_body
        if head.content_type.partition(";")[0].strip() == CONTENT_TYPE:
            self._prelude = PreludeReader()
        else:
            kind = head.content_type or "application/octet-stream"
            self._start(HttpAnswer(200, (("content-type", kind),)))

    def data(self, chunk: bytes) -> None:
        """Pass a piece on at once."""
        if self._broken or not self.responder.is_open:
            return
        if self._prelude is not None:
            chunk = self._read_prelude(self._prelude, chunk)
        if chunk and self.responder.is_open:
            self.responder.write(chunk)
            if self.responder.is_congested and self._flow is not None:
                self._flow.pause_body()

    def complete(self, result: InvocationResult) -> None:
        """The invocation has ended; what was not streamed is sent as a whole."""
        responder = self.responder
        if not responder.is_open:
            return
        if not responder.is_waiting:
            responder.end()
            return
        send(responder, self._shared(_whole(result)))

    def caller_gone(self, emulator: Emulator, request_id: str) -> None:
        """Nobody reads any more."""
        emulator.caller_gone(request_id)
        if self._flow is not None:
            self._flow.resume_body()

    def _read_prelude(self, prelude: PreludeReader, chunk: bytes) -> bytes:
        try:
            found = prelude.feed(chunk)
        except MalformedResponse:
            self._broken = True
            send(self.responder, self._shared(_bad_gateway()))
            return b""
        if found is None:
            return b""
        self._prelude = None
        head, body = found
        self._start(head)
        return body

    def _start(self, head: HttpAnswer) -> None:
        shown = self._shared(head)
        self.responder.start(shown.status, shown.lines())

    def _shared(self, head: HttpAnswer) -> HttpAnswer:
        return head if self._cors is None else shared(self._cors, self._request, head)


def _whole(result: InvocationResult) -> HttpAnswer:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-errors."""
    outcome = result.outcome
    if isinstance(outcome, Succeeded):
        try:
            return answer(outcome.payload)
        except MalformedResponse:
            return _bad_gateway()
    if isinstance(outcome, Throttled):
        body = {"Reason": outcome.reason, "Type": "User", "message": "Rate Exceeded."}
        return json_answer(429, json.dumps(body, separators=(",", ":")))
    return _bad_gateway()


def _bad_gateway() -> HttpAnswer:
    return json_answer(502, "Internal Server Error")
