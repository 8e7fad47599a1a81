"""The Runtime API of one environment, without any I/O: events in, commands out.

The shell parses HTTP and performs the commands in the order given. An exchange is whatever it
answers a request on. Each is answered at most once; ``/next`` may stay parked, and one that was
parked when the runtime process ended is forgotten, for it ends with the process. Extensions have
their own table and object, made when the first of them is heard of.
"""

from collections.abc import Callable, Sequence

from lambdash import limits
from lambdash.runtime_api.extension_messages import FunctionIdentity, ShutdownReason, header
from lambdash.runtime_api.extensions import ExtensionReport, Extensions
from lambdash.runtime_api.messages import (
    Answer,
    Command,
    Exchange,
    HandOver,
    Headers,
    InitFailed,
    InvocationMessage,
    NotPolling,
    Ready,
    Responded,
    ResponseBegun,
    ResponseKind,
    RuntimeReady,
    accepted,
    next_lines,
    refused,
)
from lambdash.runtime_api.refusals import (
    RESPONSE_TOO_LARGE,
    RESPONSE_TRUNCATED,
    midstream_error,
    no_such_mode,
    no_such_request,
    off_the_map,
    response_too_large,
    too_large,
)
from lambdash.runtime_api.routes import RouteKind, parse
from lambdash.runtime_api.states import TRANSITIONS, Event, State
from lambdash.runtime_api.subscriptions import Api

Commands = tuple[Command, ...]

_READY: Commands = (Ready(),)
_RUNTIME_READY: Commands = (RuntimeReady(),)
_NOTHING: Commands = ()
_OF_EXTENSIONS = frozenset(
    (
        RouteKind.EXTENSION_REGISTER,
        RouteKind.EXTENSION_NEXT,
        RouteKind.EXTENSION_INIT_ERROR,
        RouteKind.EXTENSION_EXIT_ERROR,
        RouteKind.SUBSCRIBE_TELEMETRY,
        RouteKind.SUBSCRIBE_LOGS,
    )
)
_IN_HAND = frozenset((State.INVOKING, State.RESPONDING))
# the runtime has not asked yet: internal extensions may register
_OPEN = frozenset((State.STARTING, State.RESETTING))
_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ERROR_BODY = b"lambda-runtime-function-error-body"
_RESPONSE_MODE = b"lambda-runtime-function-response-mode"
STREAMING = b"streaming"
_CONTENT_TYPE = b"content-type"


class Session:
    """One environment's side of the conversation with its runtime and its extensions.

    An illegal request is answered as AWS answers it and leaves the state as it was.
    ``new_identifier`` gives a fresh UUID for each extension and each of its events.
    """

    __slots__ = (
        "_extensions", "_identity", "_new_identifier", "_poll", "_request_id", "_state", "_stream",
    )  # fmt: skip

    def __init__(self, identity: FunctionIdentity, new_identifier: Callable[[], str]) -> None:
        self._identity = identity
        self._new_identifier = new_identifier
        self._state = State.STARTING
        self._extensions: Extensions | None = None
        # the request that a response in pieces comes with
        self._stream: Exchange | None = None
        self._poll: Exchange | None = None
        # of the invocation in hand, kept until the next /next: what tells a second answer to it
        # (a wrong state) from an answer to another (a wrong id)
        self._request_id: str | None = None

    @property
    def state(self) -> State:
        """Where the runtime stands."""
        return self._state

    @property
    def request_id(self) -> str | None:
        """The invocation that the runtime holds; None when it holds none."""
        return self._request_id if self._state in _IN_HAND else None

    @property
    def is_ready(self) -> bool:
        """Whether an invocation can be handed over."""
        return self._state is State.READY and self._all_settled()

    @property
    def has_extensions(self) -> bool:
        """Whether any extension was heard of: without one, nothing of theirs need be asked."""
        return self._extensions is not None

    @property
    def shutdown_grace_s(self) -> float:
        """How long an orderly end may take (AWS: 0, 0.5 or 2 s)."""
        return 0.0 if self._extensions is None else self._extensions.shutdown_grace_s

    def extension_reports(self) -> tuple[ExtensionReport, ...]:
        """How each extension stands."""
        return () if self._extensions is None else self._extensions.reports()

    def __repr__(self) -> str:
        return f"<Session {self._state.name} request_id={self._request_id}>"

    # What the runtime asks

    def handle(
        self, exchange: Exchange, method: str, path: str, headers: Headers, body: bytes
    ) -> Commands:
        """Take one complete request; header names are lower-case."""
        route = parse(method, path)
        kind = route.kind
        if kind is RouteKind.NEXT:
            return self.next(exchange)
        if kind is RouteKind.RESPONSE:
            return self.response(exchange, route.request_id, body, headers)
        if kind is RouteKind.ERROR:
            return self.error(exchange, route.request_id, body, headers)
        if kind is RouteKind.INIT_ERROR:
            return self.init_error(exchange, body, headers)
        if kind in _OF_EXTENSIONS:
            return self._of_extension(kind, exchange, headers, body)
        return (off_the_map(exchange, route, method, path),)

    def oversized(self, exchange: Exchange, method: str, path: str) -> Commands:
        """Take a request whose body was too large to be read: the caller is told, not left."""
        route = parse(method, path)
        match route.kind:
            case RouteKind.RESPONSE:
                return self._answered(Event.RESPONSE, exchange, route.request_id, None)
            case RouteKind.ERROR:
                return self._answered(Event.ERROR, exchange, route.request_id, None)
            case RouteKind.INIT_ERROR if Event.INIT_ERROR in TRANSITIONS[self._state]:
                self._state = TRANSITIONS[self._state][Event.INIT_ERROR]
                return (InitFailed(RESPONSE_TOO_LARGE), too_large(exchange))
            case _:
                return (too_large(exchange),)

    def next(self, poll: Exchange) -> Commands:
        """Park ``poll`` until ``dispatch``. The newest of several wins; the older are refused."""
        after = TRANSITIONS[self._state].get(Event.NEXT)
        if after is None:
            return (self._illegal(poll, Event.NEXT),)
        older, self._poll = self._poll, poll
        self._state = after
        extensions = self._extensions
        if extensions is not None:
            extensions.is_open = False
        if older is not None:
            return (self._illegal(older, Event.NEXT),)
        self._request_id = None
        if after is not State.READY:
            return _NOTHING
        return _READY if extensions is None else self._settled()

    def response(
        self, exchange: Exchange, request_id: str, body: bytes, headers: Headers
    ) -> Commands:
        """Take the result of an invocation. ``Responded`` comes first: logs are drained then."""
        content_type = ""
        for name, value in headers:
            if name == _CONTENT_TYPE:
                content_type = value.decode("latin-1")
            elif name == _RESPONSE_MODE and value != STREAMING:
                return (no_such_mode(exchange),)
        responded = Responded(request_id, ResponseKind.RESPONSE, body, content_type)
        return self._answered(Event.RESPONSE, exchange, request_id, responded)

    def begin_response(
        self, exchange: Exchange, path: str, headers: Headers
    ) -> ResponseBegun | Answer:
        """Take the head of a ``/response`` in streaming mode, or refuse it by its answer."""
        route = parse("POST", path)
        if route.kind is not RouteKind.RESPONSE or route.request_id != self._request_id:
            return no_such_request(exchange)
        after = TRANSITIONS[self._state].get(Event.BEGIN_RESPONSE)
        if after is None:
            return self._illegal(exchange, Event.RESPONSE)
        self._state = after
        self._stream = exchange
        return ResponseBegun(route.request_id, header(headers, _CONTENT_TYPE))

    def end_response(self, exchange: Exchange, trailers: Headers) -> Commands:
        """All of it has come; trailers tell of an error amid it."""
        error_type = header(trailers, _ERROR_TYPE)
        encoded = header(trailers, _ERROR_BODY)
        if not error_type and not encoded:
            return self._ended(exchange, ResponseKind.RESPONSE, b"", accepted(exchange))
        body = midstream_error(error_type, encoded)
        return self._ended(exchange, ResponseKind.ERROR, body, accepted(exchange))

    def break_response(self, exchange: Exchange) -> Commands:
        """The rest of it will not come, for its sender has gone or spoke nonsense."""
        return self._ended(exchange, ResponseKind.ERROR, RESPONSE_TRUNCATED)

    def overflow_response(self, exchange: Exchange, maximum: int) -> Commands:
        """It is larger than the ``maximum`` bytes that its caller takes."""
        body, answer = response_too_large(maximum), too_large(exchange, maximum)
        return self._ended(exchange, ResponseKind.ERROR, body, answer)

    def _ended(
        self, exchange: Exchange, kind: ResponseKind, body: bytes, *answers: Answer
    ) -> Commands:
        if exchange is not self._stream:
            return _NOTHING
        assert self._request_id is not None, "a stream belongs to an invocation"
        self._stream = None
        self._state = TRANSITIONS[self._state][Event.END_RESPONSE]
        return (Responded(self._request_id, kind, body), *answers)

    def error(self, exchange: Exchange, request_id: str, body: bytes, headers: Headers) -> Commands:
        """Take the failure of an invocation, as the runtime describes it."""
        responded = Responded(
            request_id,
            ResponseKind.ERROR,
            body,
            header(headers, _CONTENT_TYPE),
            header(headers, _ERROR_TYPE),
        )
        return self._answered(Event.ERROR, exchange, request_id, responded)

    def init_error(self, exchange: Exchange, body: bytes, headers: Headers) -> Commands:
        """Take the runtime's word that it cannot start."""
        after = TRANSITIONS[self._state].get(Event.INIT_ERROR)
        if after is None:
            return (self._illegal(exchange, Event.INIT_ERROR),)
        self._state = after
        return (InitFailed(body, header(headers, _ERROR_TYPE)), accepted(exchange))

    def poll_lost(self, poll: Exchange) -> None:
        """The peer of ``poll`` has gone; news of a poll that is not parked any more is ignored."""
        if poll is self._poll:
            self._state = TRANSITIONS[self._state][Event.POLL_LOST]
            self._poll = None
        elif self._extensions is not None:
            self._extensions.poll_lost(poll)

    # What the shell does

    def dispatch(self, message: InvocationMessage) -> HandOver | NotPolling:
        """Hand an invocation to the parked ``/next``; ``NotPolling`` when there is none."""
        after = TRANSITIONS[self._state].get(Event.DISPATCH)
        extensions = self._extensions
        if after is None or (extensions is not None and not extensions.are_settled):
            return NotPolling(message.request_id)
        poll, self._poll = self._poll, None
        self._state = after
        self._request_id = message.request_id
        return HandOver(poll, next_lines(message), message.payload)

    def announce(self, message: InvocationMessage) -> Commands:
        """Tell the extensions of the invocation that was dispatched."""
        return _NOTHING if self._extensions is None else self._extensions.invoke(message)

    def extensions_started(self, names: Sequence[str]) -> Commands:
        """The launcher started these executables; the runtime waits for their registration."""
        self._extensions = Extensions(self._identity, self._new_identifier)
        return self._extensions.started(names)

    def extension_exited(self, name: str, how: str) -> Commands:
        """An external extension's process has ended by itself."""
        return _NOTHING if self._extensions is None else self._extensions.exited(name, how)

    def begin_reset(self, reason: ShutdownReason, deadline_ms: int) -> Commands:
        """The runtime process is about to be replaced: its late answers reach nobody from here.

        External extensions are told, and have until ``deadline_ms`` (epoch) to end; internal ones
        end with the runtime.
        """
        self._stop(Event.BEGIN_RESET)
        if self._extensions is None:
            return _NOTHING
        if self._extensions.any_external:
            return self._extensions.shutdown(reason, deadline_ms)
        self._extensions = None
        return _NOTHING

    def reset(self) -> Commands:
        """The old runtime process has gone and a new one was started, which may have asked already.

        ``Ready`` if it has: a ``/next`` that came since ``begin_reset`` counts as the new one's.
        """
        if self._state is State.RESETTING_POLLED:
            self._state = TRANSITIONS[self._state][Event.RESET]
            return self._settled()
        self._stop(Event.RESET)
        return _NOTHING

    def shutdown(self, reason: ShutdownReason, deadline_ms: int) -> Commands:
        """The environment ends: nothing of the runtime is taken any more, extensions are told."""
        self._stop(Event.CLOSE)
        if self._extensions is None:
            return _NOTHING
        return self._extensions.shutdown(reason, deadline_ms)

    def _settled(self) -> Commands:
        """The runtime asks; once all extensions do, the init phase is over."""
        if not self._all_settled():
            return _RUNTIME_READY
        if self._extensions is not None:
            self._extensions.is_initialised = True
        return _READY

    def _all_settled(self) -> bool:
        return self._extensions is None or self._extensions.are_settled

    def _of_extension(
        self, kind: RouteKind, exchange: Exchange, headers: Headers, body: bytes
    ) -> Commands:
        extensions = self._extensions
        if extensions is None:
            extensions = Extensions(self._identity, self._new_identifier)
            extensions.is_open = self._state in _OPEN
            if kind is RouteKind.EXTENSION_REGISTER and extensions.is_open:
                self._extensions = extensions
        if kind is RouteKind.EXTENSION_REGISTER:
            return extensions.register(exchange, headers, body)
        if kind is RouteKind.EXTENSION_NEXT:
            return self._extension_next(extensions, exchange, headers)
        if kind is RouteKind.EXTENSION_INIT_ERROR:
            return extensions.init_error(exchange, headers)
        if kind is RouteKind.EXTENSION_EXIT_ERROR:
            return extensions.exit_error(exchange, headers)
        api = Api.LOGS if kind is RouteKind.SUBSCRIBE_LOGS else Api.TELEMETRY
        return extensions.subscribe(exchange, api, headers, body)

    def _extension_next(
        self, extensions: Extensions, exchange: Exchange, headers: Headers
    ) -> Commands:
        were_settled = extensions.are_settled
        commands = extensions.next(exchange, headers)
        if self.is_ready and not were_settled:
            return (*commands, *self._settled())
        return commands

    def _stop(self, event: Event) -> None:
        after = TRANSITIONS[self._state].get(event)
        if after is not None:
            self._state = after
            self._poll = None
            self._request_id = None
            self._stream = None

    def _answered(
        self, event: Event, exchange: Exchange, request_id: str, responded: Responded | None
    ) -> Commands:
        """One answer to the invocation in hand; ``responded`` None: it was too large to read."""
        if request_id != self._request_id:
            return (no_such_request(exchange),)
        after = TRANSITIONS[self._state].get(event)
        if after is None:
            return (self._illegal(exchange, event),)
        self._state = after
        if responded is None or len(responded.body) > limits.RESPONSE_PAYLOAD_MAX_BYTES:
            responded = Responded(request_id, ResponseKind.ERROR, RESPONSE_TOO_LARGE)
            return (responded, too_large(exchange))
        return (responded, accepted(exchange))

    def _illegal(self, exchange: Exchange, event: Event) -> Answer:
        message = (
            f"State transition from {self._state} to {event} failed for runtime. "
            "Error: State transition is not allowed"
        )
        return refused(exchange, 403, "InvalidStateTransition", message)
