"""The listener of the Lambda API: safe beside a browser, and clear about what is not there."""

from collections.abc import Callable

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.http.origin import foreign
from lambdash.http.server import HttpBounds, HttpServer, Request, Responder, serve_tcp
from lambdash.lambda_api.answers import caller_fault, refuse
from lambdash.lambda_api.invoke import invoke, matches, too_large
from lambdash.lambda_api.operations import operation_name

LOOPBACK = "127.0.0.1"


class LambdaApi:
    """Routes requests of one listener to operations; ``used`` is told of each request."""

    def __init__(self, emulator: Emulator, used: Callable[[], None]) -> None:
        self._emulator = emulator
        self._used = used
        self._own_hosts: frozenset[str] = frozenset()

    async def listen(self, port: int) -> HttpServer:
        """Serve on the loopback address; port 0 takes a free one. Raises ``OSError`` if taken."""
        bounds = HttpBounds(
            body_bytes=limits.REQUEST_PAYLOAD_MAX_BYTES, on_too_large=self._too_large
        )
        server = await serve_tcp(self.handle, LOOPBACK, port, bounds)
        names = (LOOPBACK, "localhost", "host.docker.internal")
        self._own_hosts = frozenset(f"{name}:{server.port}" for name in names)
        return server

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, now or when its invocation has ended."""
        self._used()
        reason = foreign(request, self._own_hosts)
        if reason is not None:
            fault = caller_fault("AccessDeniedException", reason)
            return refuse(responder, self._emulator.new_request_id(), 403, fault)
        if self._emulator.closing:
            members = {"Type": "Service", "Message": "The daemon is stopping."}
            error = ("ServiceException", members)
            return refuse(responder, self._emulator.new_request_id(), 503, error)
        if matches(request):
            return invoke(self._emulator, request, responder)
        return self._unsupported(request, responder)

    def _too_large(self, request: Request, responder: Responder) -> None:
        too_large(self._emulator, responder)

    def _unsupported(self, request: Request, responder: Responder) -> None:
        name = operation_name(request.method, request.path)
        request_id = self._emulator.new_request_id()
        if name is None:
            message = f"No Lambda operation is {request.method} {request.path}."
            fault = caller_fault("UnknownOperationException", message)
            return refuse(responder, request_id, 404, fault)
        message = f"The operation {name} is not supported by this version of lambdash."
        return refuse(responder, request_id, 501, caller_fault("NotImplementedException", message))
