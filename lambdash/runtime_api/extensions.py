"""The extensions of one environment, without any I/O: who registered, who waits, who failed.

External extensions are processes that the launcher started, known by their file names; internal
ones are whatever else registers, and live in the runtime process.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from lambdash import limits
from lambdash.runtime_api.extension_messages import (
    INVOKE,
    SHUTDOWN,
    FunctionIdentity,
    Refusal,
    Registration,
    ShutdownReason,
    delivered,
    invoke_event,
    judge_events,
    parse_error_type,
    parse_identifier,
    parse_registration,
    registered,
    shutdown_event,
)
from lambdash.runtime_api.extension_states import TRANSITIONS, ExtensionEvent, ExtensionState
from lambdash.runtime_api.messages import (
    JSON,
    Answer,
    Command,
    Exchange,
    ExtensionFailed,
    ExtensionsRegistered,
    Headers,
    InvocationMessage,
    Subscribed,
    accepted,
    refused,
)
from lambdash.runtime_api.subscriptions import Api, parse_subscription

Commands = tuple[Command, ...]
_NOTHING: Commands = ()
_UNKNOWN = "Extension.UnknownExtensionIdentifier"
# what a shell's exec, and the launcher's, exit with for what cannot be started
_NOT_STARTED = frozenset(("exit status 126", "exit status 127"))


class ExtensionReport(NamedTuple):
    """One extension as ``platform.extension`` shows it; ``error_type`` is empty without one."""

    name: str
    state: str
    events: tuple[str, ...]
    error_type: str


class Extension:
    """One extension; every step follows the table."""

    __slots__ = (
        "error_type", "events", "external", "identifier", "name", "poll", "state", "told_shutdown",
    )  # fmt: skip

    def __init__(self, name: str, identifier: str, *, external: bool) -> None:
        self.name = name
        self.identifier = identifier
        self.external = external
        self.state = ExtensionState.STARTED
        self.events: tuple[str, ...] = ()
        self.error_type = ""
        self.poll: Exchange | None = None
        self.told_shutdown = False

    def __repr__(self) -> str:
        kind = "external" if self.external else "internal"
        return f"<Extension {self.name} {kind} {self.state.name}>"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is waited for; who is away and wants no INVOKE holds up nobody."""
        if self.state is ExtensionState.READY:
            return True
        return self.state is ExtensionState.AWAY and INVOKE not in self.events

    def move(self, event: ExtensionEvent) -> bool:
        """Follow the table; False for what is illegal, and nothing has changed."""
        after = TRANSITIONS[self.state].get(event)
        if after is None:
            return False
        self.state = after
        if after is not ExtensionState.READY:
            self.poll = None
        return True

    def refuse(self, exchange: Exchange, event: ExtensionEvent) -> Answer:
        """403 for what is illegal in this state."""
        who = self.name if event is ExtensionEvent.REGISTER else self.identifier
        message = (
            f"State transition from {self.state} to {event} failed for extension {who}. "
            "Error: State transition is not allowed"
        )
        return Refusal("Extension.InvalidExtensionState", message).answer(exchange)


class Extensions:
    """All extensions of one life of the runtime; a reset begins with a new object."""

    __slots__ = (
        "_apis", "_identity", "_members", "_new_identifier", "_shutdown", "is_initialised",
        "is_open",
    )  # fmt: skip

    def __init__(self, identity: FunctionIdentity, new_identifier: Callable[[], str]) -> None:
        self._identity = identity
        self._new_identifier = new_identifier
        self._members: list[Extension] = []
        self._shutdown: bytes | None = None
        self._apis: dict[str, Api] = {}
        # registration ends with the runtime's first /next, subscription with the init phase
        self.is_open = True
        self.is_initialised = False

    def __repr__(self) -> str:
        return f"<Extensions {self._members}>"

    @property
    def are_settled(self) -> bool:
        """Whether each has asked for its next event."""
        return all(member.is_settled for member in self._members)

    @property
    def shutdown_grace_s(self) -> float:
        """How long they may take to end (AWS: Shutdown phase)."""
        if self.any_external:
            return limits.SHUTDOWN_GRACE_EXTERNAL_S
        return limits.SHUTDOWN_GRACE_INTERNAL_S if self._members else 0.0

    @property
    def any_external(self) -> bool:
        """Whether the launcher started any."""
        return any(member.external for member in self._members)

    def reports(self) -> tuple[ExtensionReport, ...]:
        """How each stands."""
        return tuple(
            ExtensionReport(member.name, member.state.value, member.events, member.error_type)
            for member in self._members
        )

    # What the launcher tells

    def started(self, names: Sequence[str]) -> Commands:
        """These executables were started; the runtime is when each of them has registered."""
        for name in names[: limits.EXTENSIONS_MAX]:
            self._members.append(Extension(name, self._new_identifier(), external=True))
        if len(names) > limits.EXTENSIONS_MAX:
            return (
                ExtensionFailed(
                    names[limits.EXTENSIONS_MAX],
                    "Extension.LaunchError",
                    f"Extension limit ({limits.EXTENSIONS_MAX}) reached",
                ),
            )
        return _NOTHING

    def exited(self, name: str, how: str) -> Commands:
        """An external extension's process has ended; ``how`` in AWS's words."""
        member = self._named(name)
        if member is None or not member.external:
            return _NOTHING
        before = member.state
        if not member.move(ExtensionEvent.EXIT) or self._shutdown is not None:
            return _NOTHING
        if before in (ExtensionState.INIT_ERROR, ExtensionState.EXIT_ERROR):
            return _NOTHING  # told when it was reported
        launched = before is not ExtensionState.STARTED or how not in _NOT_STARTED
        error_type = "Extension.Crash" if launched else "Extension.LaunchError"
        member.error_type = error_type
        return (ExtensionFailed(name, error_type, how),)

    # What extensions ask

    def register(self, exchange: Exchange, headers: Headers, body: bytes) -> Commands:
        """Take ``/extension/register``."""
        found = parse_registration(headers, body)
        if isinstance(found, Refusal):
            return (found.answer(exchange),)
        member = self._named(found.name)
        external = member is not None and member.external
        refusal = judge_events(found.events, external=external)
        if refusal is None and not external:
            refusal = self._judge_internal(member)
        if refusal is not None:
            return (refusal.answer(exchange),)
        if member is None:
            member = Extension(found.name, self._new_identifier(), external=False)
            self._members.append(member)
        if not member.move(ExtensionEvent.REGISTER):
            return (member.refuse(exchange, ExtensionEvent.REGISTER),)
        return self._welcome(exchange, member, found)

    def next(self, exchange: Exchange, headers: Headers) -> Commands:
        """Park ``/extension/event/next`` until there is an event for it."""
        member = self._find(headers, "Unknown extension {}")
        if isinstance(member, Refusal):
            return (member.answer(exchange),)
        if not member.move(ExtensionEvent.NEXT):
            return (member.refuse(exchange, ExtensionEvent.NEXT),)
        member.poll = exchange
        return _NOTHING if self._shutdown is None else self._tell_shutdown(self._shutdown)

    def init_error(self, exchange: Exchange, headers: Headers) -> Commands:
        """Take an extension's word that it cannot start."""
        return self._reported(exchange, headers, ExtensionEvent.INIT_ERROR, "Extension.InitError")

    def exit_error(self, exchange: Exchange, headers: Headers) -> Commands:
        """Take an extension's word that it is about to end."""
        return self._reported(exchange, headers, ExtensionEvent.EXIT_ERROR, "Extension.ExitError")

    def subscribe(self, exchange: Exchange, api: Api, headers: Headers, body: bytes) -> Commands:
        """Take a subscription; an extension has one, by one of the two interfaces."""
        member = self._find(headers, "Unknown extension {}")
        if isinstance(member, Refusal):
            return (member.answer(exchange),)
        kind = api.value.capitalize()
        if self.is_initialised or self._shutdown is not None:
            message = f"{kind} API subscription is closed already"
            return (Refusal(f"{kind}.SubscriptionClosed", message).answer(exchange),)
        found = parse_subscription(member.name, api, body)
        if self._apis.get(member.name, api) is not api:
            found = "the extension has subscribed using the other API"
        if isinstance(found, str):
            error_type = "ValidationError" if api is Api.TELEMETRY else "Logs.ValidationError"
            return (refused(exchange, 400, error_type, found),)
        self._apis[member.name] = api
        return (Subscribed(found), Answer(exchange, 200, JSON, b'"OK"'))

    def poll_lost(self, poll: Exchange) -> bool:
        """The peer of ``poll`` has gone; whether it was one that is parked here."""
        for member in self._members:
            if member.poll is poll:
                return member.move(ExtensionEvent.POLL_LOST)
        return False

    # What the shell does

    def invoke(self, message: InvocationMessage) -> Commands:
        """Tell the INVOKE event to whoever registered for it. All are settled."""
        waiting = [
            member
            for member in self._members
            if member.poll is not None and INVOKE in member.events
        ]
        return self._deliver(waiting, invoke_event(message)) if waiting else _NOTHING

    def shutdown(self, reason: ShutdownReason, deadline_ms: int) -> Commands:
        """Tell the SHUTDOWN event, once: now to who waits, to others when they ask."""
        if self._shutdown is not None:
            return _NOTHING
        self._shutdown = shutdown_event(reason, deadline_ms)
        return self._tell_shutdown(self._shutdown)

    def _tell_shutdown(self, body: bytes) -> Commands:
        waiting = [
            member
            for member in self._members
            if member.poll is not None and SHUTDOWN in member.events and not member.told_shutdown
        ]
        for member in waiting:
            member.told_shutdown = True
        return self._deliver(waiting, body)

    def _judge_internal(self, member: Extension | None) -> Refusal | None:
        if not self.is_open:
            return Refusal("Extension.RegistrationClosed", "Extension registration closed already")
        if len(self._members) >= limits.EXTENSIONS_MAX:
            return Refusal(
                "Extension.TooManyExtensions",
                f"Extension limit ({limits.EXTENSIONS_MAX}) reached",
            )
        if member is not None:
            return Refusal(
                "Extension.InvalidExtensionState", "Extension with this name already registered"
            )
        return None

    def _welcome(
        self, exchange: Exchange, member: Extension, registration: Registration
    ) -> Commands:
        member.events = registration.events
        answer = registered(
            exchange,
            member.identifier,
            self._identity,
            with_account=registration.with_account,
        )
        waiting = any(each.state is ExtensionState.STARTED for each in self._members)
        if member.external and not waiting:
            return (answer, ExtensionsRegistered())
        return (answer,)

    def _reported(
        self, exchange: Exchange, headers: Headers, event: ExtensionEvent, error_type: str
    ) -> Commands:
        member = self._find(headers, "Unknown Lambda-Extension-Identifier")
        if isinstance(member, Refusal):
            return (member.answer(exchange),)
        reported = parse_error_type(headers)
        if isinstance(reported, Refusal):
            return (reported.answer(exchange),)
        if not member.move(event):
            return (member.refuse(exchange, event),)
        if member.error_type or self._shutdown is not None:
            return (accepted(exchange),)
        member.error_type = reported
        return (accepted(exchange), ExtensionFailed(member.name, error_type, reported))

    def _deliver(self, waiting: Iterable[Extension], body: bytes) -> Commands:
        answers = []
        for member in waiting:
            answers.append(delivered(member.poll, self._new_identifier(), body))
            member.move(ExtensionEvent.DELIVER)
        return tuple(answers)

    def _find(self, headers: Headers, unknown: str) -> "Extension | Refusal":
        identifier = parse_identifier(headers)
        if isinstance(identifier, Refusal):
            return identifier
        for member in self._members:
            if member.identifier == identifier and member.state is not ExtensionState.STARTED:
                return member
        return Refusal(_UNKNOWN, unknown.format(identifier))

    def _named(self, name: str) -> Extension | None:
        return next((member for member in self._members if member.name == name), None)
