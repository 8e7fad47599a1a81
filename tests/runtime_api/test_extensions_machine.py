"""A runtime and extensions that do anything, in any order, with duplicates and late news."""

import json
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import (
    Answer,
    ExtensionFailed,
    ExtensionsRegistered,
    HandOver,
    InitFailed,
    InvocationMessage,
    Ready,
    Responded,
    RuntimeReady,
    Subscribed,
)
from lambdash.runtime_api.states import State
from tests.runtime_api.extension_peer import (
    EXIT_ERROR,
    INIT_ERROR,
    NEXT,
    ask,
    identify,
    known,
    register,
)
from tests.runtime_api.sessions import identifier, new_session

BASE = "/2018-06-01/runtime"
SUBSCRIPTION = json.dumps(
    {
        "schemaVersion": "2022-07-01",
        "types": ["platform"],
        "destination": {"protocol": "TCP", "port": 5000},
    }
).encode()
NAMES = st.sampled_from(["one", "two", "inside"])
EVENTS = st.lists(st.sampled_from(["INVOKE", "SHUTDOWN", "OTHER"]), max_size=3)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"lambda-extension-name",
                b"lambda-extension-identifier",
                b"lambda-extension-function-error-type",
            ]
        ),
        st.one_of(st.binary(max_size=20), st.integers(0, 30).map(lambda n: identifier(n).encode())),
    ),
    max_size=4,
)


@dataclass(eq=False)
class Peer:
    """One HTTP request as its sender sees it."""

    statuses: list[int] = field(default_factory=list)


class Conversation(RuleBasedStateMachine):
    """Nothing they do may answer twice, wedge the environment or raise."""

    def __init__(self) -> None:
        super().__init__()
        self.session = new_session()
        self.peers: list[Peer] = []
        self.identifiers: list[str] = []
        self.parked: list[Peer] = []
        self.invocations = 0
        self.in_hand: str | None = None
        self.failures = 0
        self.lives = 0

    def peer(self) -> Peer:
        peer = Peer()
        self.peers.append(peer)
        return peer

    def perform(self, commands: tuple[object, ...]) -> None:
        for command in commands:
            match command:
                case Answer(exchange, status):
                    assert isinstance(exchange, Peer)
                    exchange.statuses.append(status)
                case Responded(request_id):
                    assert request_id == self.in_hand
                    self.in_hand = None
                case Ready():
                    assert self.session.is_ready
                    assert self.in_hand is None
                case RuntimeReady():
                    assert self.session.state is State.READY
                    assert not self.session.is_ready
                case ExtensionFailed():
                    self.failures += 1
                case ExtensionsRegistered() | InitFailed() | Subscribed():
                    pass
                case _:
                    raise AssertionError(command)

    @rule(names=st.sampled_from([("one",), ("one", "two")]))
    def a_new_life_begins(self, names: tuple[str, ...]) -> None:
        if self.session.state in (State.STARTING, State.RESETTING) and self.lives < 5:
            self.lives += 1
            self.failures = 0
            self.perform(self.session.extensions_started(names))

    @rule(name=NAMES, events=EVENTS)
    def register(self, name: str, events: list[str]) -> None:
        peer = self.peer()
        commands = register(self.session, name, *events, exchange=peer)
        self.perform(commands)
        assert len(peer.statuses) == 1
        if peer.statuses == [200]:
            self.identifiers.append(identify(commands))

    @rule(index=st.integers(0, 5))
    def extension_next(self, index: int) -> None:
        if self.identifiers:
            peer = self.peer()
            who = self.identifiers[index % len(self.identifiers)]
            self.perform(ask(self.session, who, peer))
            self.parked.append(peer)

    @rule(index=st.integers(0, 5), path=st.sampled_from([INIT_ERROR, EXIT_ERROR]))
    def extension_error(self, index: int, path: str) -> None:
        if self.identifiers:
            peer = self.peer()
            who = self.identifiers[index % len(self.identifiers)]
            headers = (*known(who), (b"lambda-extension-function-error-type", b"Fatal.X"))
            self.perform(self.session.handle(peer, "POST", path, headers, b""))
            assert len(peer.statuses) == 1

    @rule(name=NAMES, how=st.sampled_from(["exit code 0", "exit status 127"]))
    def extension_exits(self, name: str, how: str) -> None:
        self.perform(self.session.extension_exited(name, how))

    @rule(path=st.sampled_from([NEXT, INIT_ERROR, EXIT_ERROR]), headers=HEADERS)
    def garbage(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        peer = self.peer()
        method = "GET" if path == NEXT else "POST"
        self.perform(self.session.handle(peer, method, path, headers, b""))
        self.parked.append(peer)

    @rule(body=st.binary(max_size=30), headers=HEADERS)
    def garbage_registration(self, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        peer = self.peer()
        path = "/2020-01-01/extension/register"
        self.perform(self.session.handle(peer, "POST", path, headers, body))
        assert peer.statuses in ([403], [200])

    @rule(
        index=st.integers(0, 5),
        path=st.sampled_from(["/2022-07-01/telemetry", "/2020-08-15/logs"]),
        body=st.one_of(st.binary(max_size=30), st.just(SUBSCRIPTION)),
    )
    def subscribe(self, index: int, path: str, body: bytes) -> None:
        peer = self.peer()
        who = self.identifiers[index % len(self.identifiers)] if self.identifiers else ""
        self.perform(self.session.handle(peer, "PUT", path, known(who), body))
        assert len(peer.statuses) == 1
        assert peer.statuses[0] in (200, 400, 403)

    @rule()
    def runtime_next(self) -> None:
        peer = self.peer()
        self.perform(self.session.next(peer))
        self.parked.append(peer)

    @rule()
    def runtime_answers(self) -> None:
        if self.in_hand is not None:
            self.perform(self.session.response(self.peer(), self.in_hand, b"1", ()))
            assert self.in_hand is None

    @rule(index=st.integers(0, 9))
    def lose_a_poll(self, index: int) -> None:
        waiting = [peer for peer in self.parked if not peer.statuses]
        if waiting:
            lost = waiting[index % len(waiting)]
            lost.statuses.append(0)
            self.session.poll_lost(lost)

    @rule()
    def dispatch(self) -> None:
        was_ready = self.session.is_ready
        message = InvocationMessage(str(self.invocations), b"", 0, "arn", "trace")
        result = self.session.dispatch(message)
        assert isinstance(result, HandOver) == was_ready
        if isinstance(result, HandOver):
            self.invocations += 1
            self.in_hand = message.request_id
            assert isinstance(result.exchange, Peer)
            result.exchange.statuses.append(200)
            self.perform(self.session.announce(message))

    @rule()
    def begin_reset(self) -> None:
        self.in_hand = None
        self.perform(self.session.begin_reset(ShutdownReason.TIMEOUT, 0))

    @rule()
    def reset(self) -> None:
        self.in_hand = None
        self.perform(self.session.reset())

    @rule(events=st.sampled_from([(), ("INVOKE",), ("INVOKE", "SHUTDOWN")]))
    def a_fresh_life_is_never_refused(self, events: tuple[str, ...]) -> None:
        """Not wedged: whatever came before, a new life registers, polls and is invoked."""
        if self.session.state is State.CLOSED:
            return
        self.begin_reset()
        self.perform(self.session.extensions_started(("one",)))
        self.failures = 0
        self.reset()
        commands = register(self.session, "one", *events, exchange=self.peer())
        self.perform(commands)
        assert ExtensionsRegistered() in commands
        self.identifiers.append(identify(commands))
        self.runtime_next()
        peer = self.peer()
        self.perform(ask(self.session, self.identifiers[-1], peer))
        self.parked.append(peer)
        assert self.session.is_ready
        self.dispatch()
        assert self.in_hand is not None

    @rule(really=st.sampled_from([False] * 9 + [True]))
    def close(self, really: bool) -> None:
        if really:
            self.in_hand = None
            self.perform(self.session.shutdown(ShutdownReason.SPINDOWN, 0))

    @invariant()
    def each_is_answered_at_most_once(self) -> None:
        assert all(len(peer.statuses) <= 1 for peer in self.peers)

    @invariant()
    def each_extension_fails_once(self) -> None:
        assert self.failures <= 10

    @invariant()
    def it_agrees_on_what_is_in_hand(self) -> None:
        assert self.session.request_id == self.in_hand


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
