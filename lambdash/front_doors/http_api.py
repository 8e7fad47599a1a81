"""The project's HTTP API: routes of the manifest, on a port of its own.

Payload format 2.0, stage ``$default``, and the answers of API Gateway's HTTP APIs where a function
gives none (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html).
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.errors import CallerError, PlatformError
from lambdash.front_doors.answers import exchange_of, send
from lambdash.front_doors.exchange import HttpAnswer, HttpRequest, json_answer
from lambdash.front_doors.payload_v2 import Context, MalformedResponse, answer, event
from lambdash.front_doors.routes import Match, Route, RouteTable
from lambdash.http.server import HttpBounds, HttpServer, Request, Responder, serve_tcp
from lambdash.model import Succeeded, Throttled
from lambdash.model.connections import HttpSource

_LOOPBACK = "127.0.0.1"
_UNTYPED = "text/plain; charset=utf-8"  # where function URLs say JSON


class HttpApi:
    """Listens once there is a route; ``now`` gives epoch seconds."""

    def __init__(
        self,
        emulator: Emulator,
        api_id: str,
        now: Callable[[], float],
        used: Callable[[], None],
    ) -> None:
        self._emulator = emulator
        self._api_id = api_id
        self._now = now
        self._used = used
        self._server: HttpServer | None = None
        self._table = RouteTable(())
        self._routes: tuple[Route, ...] = ()

    @property
    def url(self) -> str | None:
        """Where it listens; None as long as it does not."""
        return None if self._server is None else f"http://{_LOOPBACK}:{self._server.port}"

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route, in the order of the functions."""
        return self._routes

    async def refresh(self) -> None:
        """Take the routes of what is deployed now. Raises ``PlatformError`` (``cannot-listen``)."""
        self._routes = tuple(
            Route(source.method, source.path, name)
            for name, deployed in self._emulator.functions.items()
            for source in deployed.function.connections.event_sources
            if isinstance(source, HttpSource)
        )
        self._table = RouteTable(self._routes)
        if self._routes and self._server is None:
            self._server = await self._listen()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def _listen(self) -> HttpServer:
        bounds = HttpBounds(body_bytes=limits.HTTP_API_BODY_MAX_BYTES, on_too_large=_too_large)
        last = limits.HTTP_API_PORT + limits.HTTP_API_PORTS_TRIED
        for port in range(limits.HTTP_API_PORT, last):
            try:
                return await serve_tcp(self.handle, _LOOPBACK, port, bounds)
            except PlatformError as error:
                if error.code != "port-in-use":
                    raise
        return await serve_tcp(self.handle, _LOOPBACK, 0, bounds)

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, now or as its function does."""
        self._used()
        path = unquote(request.path or "/")
        found = self._table.match(request.method, path)
        if found is None:
            return send(responder, json_answer(404, '{"message":"Not Found"}'))
        if self._emulator.closing:
            return send(responder, _unavailable())
        return self._invoke(found, exchange_of(request, self._now()), path, responder)

    def _invoke(self, found: Match, exchange: HttpRequest, path: str, responder: Responder) -> None:
        emulator, request_id = self._emulator, self._emulator.new_request_id()
        context = Context(
            account_id=emulator.place.account_id,
            api_id=self._api_id,
            domain_name=exchange.header("host") or "",
            request_id=request_id,
            route_key=found.route.key,
            path_parameters=found.path_parameters,
        )
        payload = json.dumps(event(exchange, path, context), separators=(",", ":")).encode()
        options = InvocationOptions(
            request_id=request_id, trace_id=exchange.header("x-amzn-trace-id")
        )
        if len(payload) > limits.REQUEST_PAYLOAD_MAX_BYTES:
            return _too_large_payload(responder)
        timer = asyncio.get_running_loop().call_later(
            limits.HTTP_API_TIMEOUT_S, _time_out, responder
        )
        responder.on_disconnect = partial(_gone, emulator, request_id, timer)
        complete = partial(_complete, responder, timer)
        try:
            return emulator.invoke(found.route.function_name, payload, options, complete)
        except CallerError:  # deleted through the API since the last deploy
            timer.cancel()
            return send(responder, _failed())


def _gone(emulator: Emulator, request_id: str, timer: asyncio.TimerHandle) -> None:
    timer.cancel()
    emulator.caller_gone(request_id)


def _time_out(responder: Responder) -> None:
    """The function goes on; nobody waits for it any more."""
    if responder.is_open:
        responder.on_disconnect = None
        send(responder, _unavailable())


def _complete(responder: Responder, timer: asyncio.TimerHandle, result: InvocationResult) -> None:
    timer.cancel()
    if responder.is_open:
        send(responder, _answer(result))


def _answer(result: InvocationResult) -> HttpAnswer:
    outcome = result.outcome
    if isinstance(outcome, Succeeded):
        try:
            return answer(outcome.payload, untyped=_UNTYPED)
        except MalformedResponse:
            return _failed()
    return _unavailable() if isinstance(outcome, Throttled) else _failed()


def _failed() -> HttpAnswer:
    return json_answer(500, '{"message":"Internal Server Error"}')


def _unavailable() -> HttpAnswer:
    return json_answer(503, '{"message":"Service Unavailable"}')


def _too_large_payload(responder: Responder) -> None:
    send(responder, json_answer(413, '{"message":"Request Entity Too Large"}'))


def _too_large(request: Request, responder: Responder) -> None:
    _too_large_payload(responder)
