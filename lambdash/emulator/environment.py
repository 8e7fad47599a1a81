"""One execution environment: a sandbox, the Runtime API session in it, the invocation at hand.

It decides nothing about scaling: what happens is told to its ``Listener`` (the driver), which asks
the pool. It is the ``SandboxObserver`` of its sandbox, and the only user of its ``Session``.
"""

import asyncio
import time
import uuid
from functools import partial

from lambdash import limits
from lambdash.emulator import failures
from lambdash.emulator.deadline import Deadline, init_max_s
from lambdash.emulator.flight import Flight
from lambdash.emulator.life_log import LifeLog
from lambdash.emulator.listener import Listener
from lambdash.emulator.logs import LogCapture
from lambdash.emulator.streaming import ResponseHead, StreamedResponse
from lambdash.emulator.telemetry import Telemetry
from lambdash.engines.protocol import Sandbox, SandboxExit
from lambdash.http.bounds import HttpBounds
from lambdash.http.connections import Connections
from lambdash.http.protocol import HttpProtocol
from lambdash.http.request import Request
from lambdash.http.responder import Responder
from lambdash.http.upload import BodySink, StreamHandler
from lambdash.model import FunctionFailed, Revision, Succeeded
from lambdash.pool import (
    EnvironmentReady,
    EnvironmentResponded,
    InitializationType,
    StopReason,
)
from lambdash.runtime_api.extension_messages import FunctionIdentity, ShutdownReason
from lambdash.runtime_api.messages import (
    Answer,
    Command,
    ExtensionFailed,
    ExtensionsRegistered,
    HandOver,
    InitFailed,
    InvocationMessage,
    Ready,
    Responded,
    ResponseKind,
    RuntimeReady,
    Subscribed,
)
from lambdash.runtime_api.platform_records import TIMEOUT, Ending
from lambdash.runtime_api.session import STREAMING, Commands, Session

_STREAMING_MODE = (b"lambda-runtime-function-response-mode", STREAMING)


class ExecutionEnvironment:
    """Made before its sandbox is launched; ``sandbox`` is None until then."""

    def __init__(
        self,
        environment_id: str,
        revision: Revision,
        identity: FunctionIdentity,
        logs: LogCapture,
        listener: Listener,
    ) -> None:
        self._listener = listener
        self._session = Session(identity, lambda: str(uuid.uuid4()))
        self._previous: Flight | None = None
        self._stream: StreamedResponse | None = None
        # there once an extension was heard of
        self._telemetry: Telemetry | None = None
        self.id = environment_id
        self.revision = revision
        self.logs = logs
        self.life = LifeLog(logs, time.time)
        self.sandbox: Sandbox | None = None
        self.flight: Flight | None = None
        self.marks: dict[str, float] = {"assigned": time.monotonic()}
        self.deadline = Deadline(asyncio.get_running_loop(), partial(listener.overdue, self))
        self.launching: asyncio.Task[None] | None = None
        self.served = 0
        self.initialization = InitializationType.ON_DEMAND
        self.initialised = False
        self.resetting = False
        self.stopping = False
        self.ready_event = EnvironmentReady(environment_id)
        self.responded_event = EnvironmentResponded(environment_id)
        self._bounds = HttpBounds(
            body_bytes=limits.RESPONSE_PAYLOAD_MAX_BYTES,
            connections=limits.RUNTIME_CONNECTIONS_MAX,
            idle_timeout_s=limits.RUNTIME_IDLE_TIMEOUT_S,
            on_too_large=self._oversized,
            on_head=self._choose,
        )
        self._connections = Connections(self._bounds)
        self._freezes = revision.configuration.freeze

    # -- the invocation ------------------------------------------------------------------------

    def dispatch(self, flight: Flight, message: InvocationMessage) -> bool:
        """Hand an invocation to the runtime; False when nobody polls, and nothing was sent."""
        over = self._session.dispatch(message)
        if not isinstance(over, HandOver):
            return False
        responder = over.exchange
        assert isinstance(responder, Responder)
        if not responder.is_open:
            return False
        now = time.monotonic()
        self.flight = flight
        flight.logs = self.logs
        flight.timings.dispatched = now
        self.logs.begin(message.request_id)
        self.deadline.set(now + self.revision.configuration.timeout_s)
        if self._telemetry is not None:
            self._telemetry.dispatched(flight)
            self._perform(self._session.announce(message))
        responder.send_lines(over.lines, over.payload)
        if self._freezes and self.sandbox is not None:
            self.sandbox.thaw()
        return True

    def rest(self) -> None:
        """Stand still where the function asks for it, until there is something to do."""
        idle = self.flight is None and self._session.is_ready
        if self._freezes and idle and self.sandbox is not None:
            self.sandbox.freeze()
            if self._telemetry is not None:
                self._telemetry.hold()

    def take_flight(self) -> Flight | None:
        """The invocation in hand, which from here on is the caller's to answer."""
        flight, self.flight = self.flight, None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.detach()
        if flight is not None:
            self.life.look(flight, self.sandbox, exact=True)
        return flight

    def adopt(self, flight: Flight) -> None:
        """Answer for an invocation that waited for the environment, which never came up."""
        flight.environment_id, flight.revision_id = self.id, self.revision.id
        flight.sandbox_id = None if self.sandbox is None else self.sandbox.id
        flight.logs, flight.init_ms = self.logs, self.life.init_ms
        self.life.look(flight, self.sandbox, exact=True)

    def begin_reset(self) -> None:
        """The runtime process is about to be replaced: what it still says reaches nobody."""
        self.resetting = True
        self._cut_off(TIMEOUT)
        until_ms = self._shutdown_deadline_ms()
        self._perform(self._session.begin_reset(ShutdownReason.TIMEOUT, until_ms))
        self._finish_turn()

    def reset_done(self) -> None:
        """A new runtime process was started in the sandbox."""
        if not self._session.has_extensions:
            self._end_telemetry()
        self._perform(self._session.reset())

    @property
    def stop_grace_s(self) -> float:
        """How long the sandbox may take to end in good order: what its extensions are owed."""
        return self._session.shutdown_grace_s

    def close(self, reason: ShutdownReason) -> None:
        """The end: late news of the runtime is refused, the last turn goes to the journal.

        Extensions are told, and answered until the sandbox has stopped.
        """
        self.stopping = True
        self.deadline.close()
        self._perform(self._session.shutdown(reason, self._shutdown_deadline_ms()))
        self._finish_turn()
        self.logs.end()
        if self._telemetry is not None:
            self._telemetry.flush()

    async def disconnect(self) -> None:
        """Cut what is left of the runtime's connections, after the sandbox has ended."""
        self._end_telemetry()
        await self._connections.close(0)

    def _shutdown_deadline_ms(self) -> int:
        return int((time.time() + self._session.shutdown_grace_s) * 1000)

    # -- the sandbox's news --------------------------------------------------------------------

    def runtime_connection(self) -> asyncio.Protocol:
        """A protocol for one accepted connection of the runtime."""
        return HttpProtocol(self._request, self._bounds, self._connections)

    def output(self, stream: str, data: bytes) -> None:
        """What the sandbox wrote."""
        self.logs.feed(stream, data)

    def mark(self, name: str, at: float) -> None:
        """A moment of the launch; the init phase begins with the runtime process."""
        first = self.marks.setdefault(name, at) == at
        begun = "extensions_started" in self.marks
        if name == "runtime_started" and first and not self.initialised and not begun:
            self.deadline.set(at + init_max_s(self.initialization, self.revision))
            self.life.init_began(at)

    @property
    def is_provisioned(self) -> bool:
        """Whether it was launched ahead, to be kept."""
        return self.initialization is InitializationType.PROVISIONED

    def exited(self, exit: SandboxExit) -> None:
        """The runtime process, or all of the sandbox, ended by itself."""
        if self.stopping:
            return
        self._drain()
        self.life.ended_with(exit.max_memory_bytes)
        if not self.initialised or self.resetting:
            self.life.init_ended(Ending("error", failures.exit_type(exit)))
        self._cut_off(Ending("error", failures.exit_type(exit)))
        explain = failures.crashed if self.initialised else failures.init_exited
        reason = StopReason.CRASHED if self.initialised else StopReason.INIT_FAILED
        if exit.out_of_memory:
            reason = StopReason.OUT_OF_MEMORY
        self._listener.failed(self, reason, partial(explain, exit=exit))

    def extensions_started(self, names: tuple[str, ...]) -> None:
        """The launcher started external extensions; the init phase begins with them."""
        if not self.initialised:
            now = self.marks.setdefault("extensions_started", time.monotonic())
            self.deadline.set(now + init_max_s(self.initialization, self.revision))
            self.life.init_began(now)
        self._end_telemetry()
        self._watch()
        self._perform(self._session.extensions_started(names))

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        """An external extension ended by itself."""
        if not self.stopping:
            how = failures.how_it_ended(exit)
            self._perform(self._session.extension_exited(name, how))

    # -- the runtime's requests ----------------------------------------------------------------

    def _request(self, request: Request, responder: Responder) -> None:
        self._perform(
            self._session.handle(
                responder, request.method, request.path, request.headers, request.body
            )
        )
        if responder.is_waiting:
            responder.on_disconnect = partial(self._disconnected, responder)

    def _oversized(self, request: Request, responder: Responder) -> None:
        self._perform(self._session.oversized(responder, request.method, request.path))

    def _choose(self, request: Request) -> StreamHandler | None:
        """A response in streaming mode is taken in pieces, everything else whole."""
        return self._begin_stream if _STREAMING_MODE in request.headers else None

    def _begin_stream(self, request: Request, responder: Responder) -> BodySink:
        begun = self._session.begin_response(responder, request.path, request.headers)
        flight = self.flight
        sink = None if flight is None else flight.sink
        stream = StreamedResponse(self._session, responder, self._perform, sink)
        if isinstance(begun, Answer):
            self._perform((begun,))
            return stream
        self._stream = stream
        if flight is not None and sink is not None:
            version = flight.invocation.target.version
            sink.begin(ResponseHead(begun.content_type, version), responder)
        return stream

    def _perform(self, commands: Commands) -> None:
        for command in commands:
            if isinstance(command, Answer):
                responder = command.exchange
                assert isinstance(responder, Responder)
                responder.send(command.status, command.headers, command.body)
            elif isinstance(command, Responded):
                self._responded(command)
            elif isinstance(command, Ready):
                self._ready()
            elif isinstance(command, InitFailed):
                self._init_failed(command)
            else:
                self._perform_of_extensions(command)

    def _perform_of_extensions(self, command: Command) -> None:
        if isinstance(command, RuntimeReady):
            self._drain()
            self._watch().runtime_ready()
        elif isinstance(command, ExtensionsRegistered):
            self._listener.extensions_registered(self)
        elif isinstance(command, ExtensionFailed):
            self._extension_failed(command)
        elif isinstance(command, Subscribed):
            self._listener.subscribed(self, self._watch().subscribe(command.subscription))

    def _ready(self) -> None:
        now = time.monotonic()
        self.deadline.set(None)
        if not self.initialised or self.resetting:
            self._initialised(now)
        previous = self._previous
        if previous is not None:
            previous.timings.next = now
            self._finish_turn()
        if self._telemetry is not None:
            self._telemetry.ready(self._session.extension_reports(), self._memory_bytes())
        self._listener.ready(self)
        if self._freezes:
            self.rest()

    def _initialised(self, now: float) -> None:
        """The first poll of a runtime's process; what it wrote until then is no invocation's."""
        self.resetting = False
        if not self.initialised:
            self.initialised = True
            self.marks.setdefault("runtime_started", now)
            self.marks["first_next"] = now
        self._drain()
        self.life.init_ended()
        if self._session.has_extensions:
            self._watch()

    def _responded(self, responded: Responded) -> None:
        flight = self.flight
        if flight is None:
            return
        flight.timings.responded = time.monotonic()
        self.life.look(flight, self.sandbox, exact=flight.invocation.tail)
        stream, body = self._stream, responded.body
        if stream is not None:
            self._stream, body = None, body or stream.collected()
        if self._telemetry is not None:
            self._telemetry.responded(len(body) if stream is None else stream.size)
        if responded.kind is ResponseKind.RESPONSE:
            flight.outcome = Succeeded(body)
        else:
            flight.outcome = FunctionFailed(body)
        self.flight = None
        self._previous = flight
        self._listener.responded(self, flight)

    def _init_failed(self, failed: InitFailed) -> None:
        self._drain()
        error_type = failures.platform_type(failed.error_type or failures.words(failed.body)[1])
        self.life.init_ended(Ending("error", error_type))
        self._cut_off(Ending("error", error_type))
        outcome = failures.init_reported(failed.body)
        self._listener.failed(self, StopReason.INIT_FAILED, lambda _: outcome)

    def _extension_failed(self, failed: ExtensionFailed) -> None:
        self._drain()
        reason = StopReason.CRASHED if self.initialised else StopReason.INIT_FAILED
        if not self.initialised:
            self.life.init_ended(Ending("error", failed.error_type))
        self._cut_off(Ending("error", failed.error_type))
        explain = partial(failures.extension_failed, failed=failed, initialised=self.initialised)
        self._listener.failed(self, reason, explain)

    def _watch(self) -> Telemetry:
        """What subscribers are told: from here on there may be some."""
        if self._telemetry is None:
            marks, now = self.marks, time.monotonic()
            began = marks.get("extensions_started", marks.get("runtime_started", now))
            began, phase = (now, "invoke") if self.resetting else (began, "init")
            self._telemetry = Telemetry(self.logs, began, phase)
        return self._telemetry

    def _cut_off(self, ending: Ending) -> None:
        if self._telemetry is not None:
            self._telemetry.cut_off(ending, self._session.extension_reports(), self._memory_bytes())

    def _end_telemetry(self) -> None:
        telemetry, self._telemetry = self._telemetry, None
        if telemetry is not None:
            telemetry.close()

    def _memory_bytes(self) -> int | None:
        return None if self.sandbox is None else self.sandbox.memory_peak_bytes()

    def _drain(self) -> None:
        if self.sandbox is not None:
            self.sandbox.drain_output()

    def _disconnected(self, poll: Responder) -> None:
        was_ready = self._session.is_ready
        self._session.poll_lost(poll)
        if was_ready and not self._session.is_ready and not self.stopping:
            self._listener.poll_lost(self)

    def _finish_turn(self) -> None:
        previous, self._previous = self._previous, None
        if previous is not None:
            self._drain()  # what it wrote since its answer is its own still
            self.logs.end()
            self._listener.finished(previous)
