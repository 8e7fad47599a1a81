"""The listener of the Lambda API: safe beside a browser, and clear about what is not there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lambdash import limits
from lambdash.clock import Clock, SystemClock
from lambdash.emulator.emulator import Emulator
from lambdash.http.budget import ByteBudget
from lambdash.http.connections import Connections
from lambdash.http.origin import foreign
from lambdash.http.protocol import HttpProtocol
from lambdash.http.server import HttpBounds, HttpServer, Request, Responder, serve_tcp
from lambdash.lambda_api import streaming
from lambdash.lambda_api.answers import Refusal, caller_fault, refuse
from lambdash.lambda_api.dispatch import Dispatcher
from lambdash.lambda_api.downloads import download, is_download
from lambdash.lambda_api.invoke import invoke, matches
from lambdash.lambda_api.signature import verify
from lambdash.lambda_api.too_large import body_bound, overloaded, too_large
from lambdash.tasks import Tasks

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Companion:
    """Another service on the same port: which requests are its own, and who answers them.

    A ``public`` one is meant for browsers: pages of any origin may use it.
    """

    matches: Callable[[Request], bool]
    handle: Callable[[Request, Responder], None]
    public: bool = False


class LambdaApi:
    """Routes requests of one listener to operations; ``used`` is told of each request.

    With ``keys`` (access key id to secret) a request must be signed by one of them.
    ``bodies`` is what the payloads that it holds may take, together with those of other listeners.
    """

    def __init__(
        self,
        emulator: Emulator,
        used: Callable[[], None],
        clock: Clock | None = None,
        *,
        bodies: ByteBudget | None = None,
        companions: Sequence[Companion] = (),
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self._emulator = emulator
        self._tasks = Tasks()
        self._clock = clock or SystemClock()
        self._dispatcher = Dispatcher(emulator, self._clock, self._tasks)
        self._keys = keys
        self._used = used
        self._companions = companions
        self._own_hosts: frozenset[str] = frozenset()
        self._bounds = HttpBounds(
            body_bytes=limits.REQUEST_PAYLOAD_MAX_BYTES,
            on_too_large=self._too_large,
            body_bytes_of=body_bound,
            budget=bodies or ByteBudget(limits.BODIES_MAX_BYTES),
            on_overload=self._overloaded,
        )
        self._inside = Connections(self._bounds)

    async def listen(self, port: int) -> HttpServer:
        """Serve on the loopback address; port 0 takes a free one. Raises ``OSError`` if taken."""
        server = await serve_tcp(self.handle, LOOPBACK, port, self._bounds)
        names = (LOOPBACK, "localhost", "host.docker.internal")
        inside = f"{LOOPBACK}:{limits.GATEWAY_PORT}"
        self._own_hosts = frozenset((*(f"{name}:{server.port}" for name in names), inside))
        return server

    def connection(self) -> asyncio.Protocol:
        """For a connection made inside an environment, which is served as any other is.

        These are counted apart: functions cannot use up the connections of the machine's tools.
        """
        return HttpProtocol(self.handle, self._bounds, self._inside)

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, now or when its invocation has ended."""
        self._used()
        reason = foreign(request, self._own_hosts)
        if reason is not None:
            return self._from_elsewhere(request, responder, reason)
        if self._emulator.closing:
            members = {"Type": "Service", "Message": "The daemon is stopping."}
            error = ("ServiceException", members)
            return refuse(responder, self._emulator.new_request_id(), 503, error)
        if self._keys is not None and not self._is_signed(request, responder, self._keys):
            return None
        if matches(request):
            return invoke(self._emulator, request, responder)
        if streaming.matches(request):
            return streaming.invoke_with_response_stream(self._emulator, request, responder)
        return self._control_plane(request, responder)

    def _from_elsewhere(self, request: Request, responder: Responder, reason: str) -> None:
        """A page of another origin, or a name that is not ours: public doors alone are open."""
        door = self._companion(request)
        if door is not None and door.public and not self._emulator.closing:
            return door.handle(request, responder)
        fault = caller_fault("AccessDeniedException", reason)
        return refuse(responder, self._emulator.new_request_id(), 403, fault)

    def _is_signed(self, request: Request, responder: Responder, keys: Mapping[str, str]) -> bool:
        """Whether it may go on; a refused one is answered. Downloads carry their right in the URL,
        function URLs have an authorization of their own."""
        door = self._companion(request)
        if is_download(request) or (door is not None and door.public):
            return True
        try:
            verify(request, keys, self._clock.wall())
        except Refusal as refusal:
            refuse(responder, self._emulator.new_request_id(), refusal.status, refusal.error)
            return False
        return True

    def _control_plane(self, request: Request, responder: Responder) -> None:
        """Everything that is no invocation."""
        companion = self._companion(request)
        if companion is not None:
            return companion.handle(request, responder)
        if is_download(request):
            self._tasks.spawn(download(self._emulator, request, responder), "download")
            return None
        return self._dispatcher.handle(request, responder)

    def _companion(self, request: Request) -> Companion | None:
        return next((one for one in self._companions if one.matches(request)), None)

    async def close(self) -> None:
        """End what still works on an answer."""
        await self._tasks.cancel()
        await self._inside.close(0)

    def _too_large(self, request: Request, responder: Responder) -> None:
        too_large(self._emulator, request, responder)

    def _overloaded(self, request: Request, responder: Responder) -> None:
        overloaded(self._emulator, responder)
