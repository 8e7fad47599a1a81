"""Any order of requests and news, duplicates and garbage included."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lambdash.runtime_api.extension_messages import ShutdownReason
from lambdash.runtime_api.messages import (
    Answer,
    InitFailed,
    InvocationMessage,
    NotPolling,
    Ready,
    Responded,
)
from lambdash.runtime_api.states import State
from tests.runtime_api.sessions import new_session

BASE = "/2018-06-01/runtime"
IDS = st.sampled_from([str(number) for number in range(6)])


@dataclass(eq=False)
class Peer:
    """One HTTP request as its sender sees it."""

    path: str
    statuses: list[int] = field(default_factory=list)


class Conversation(RuleBasedStateMachine):
    """A runtime that does anything, a shell that keeps its own promises."""

    def __init__(self) -> None:
        super().__init__()
        self.session = new_session()
        self.polls: list[Peer] = []
        self.invocations = 0
        self.answered: dict[str, int] = {}
        self.in_hand: str | None = None
        self.streams: list[Peer] = []
        self.stream: Peer | None = None

    def perform(self, commands: tuple[object, ...]) -> None:
        for command in commands:
            match command:
                case Answer(exchange, status):
                    assert isinstance(exchange, Peer)
                    exchange.statuses.append(status)
                case Responded(request_id):
                    assert request_id == self.in_hand
                    self.answered[request_id] = self.answered.get(request_id, 0) + 1
                    self.in_hand = self.stream = None
                case Ready():
                    assert self.session.state is State.READY
                    assert self.in_hand is None
                case InitFailed():
                    assert self.session.state is State.FAILED
                case _:
                    raise AssertionError(command)

    def ask(self, method: str, path: str, body: bytes = b"{}") -> Peer:
        peer = Peer(path)
        before = self.session.state
        self.perform(self.session.handle(peer, method, path, (), body))
        if peer.statuses and peer.statuses[0] >= 400 and peer.statuses[0] != 413:
            assert self.session.state is before
        return peer

    @rule()
    def next(self) -> None:
        self.polls.append(self.ask("GET", f"{BASE}/invocation/next", b""))

    @rule(request_id=IDS, route=st.sampled_from(["response", "error"]))
    def answer_any(self, request_id: str, route: str) -> None:
        peer = self.ask("POST", f"{BASE}/invocation/{request_id}/{route}")
        assert len(peer.statuses) == 1

    @rule(route=st.sampled_from(["response", "error"]), oversized=st.booleans())
    def answer_in_hand(self, route: str, oversized: bool) -> None:
        if self.in_hand is None or self.stream is not None:
            return
        path = f"{BASE}/invocation/{self.in_hand}/{route}"
        peer = Peer(path)
        if oversized:
            self.perform(self.session.oversized(peer, "POST", path))
        else:
            self.perform(self.session.handle(peer, "POST", path, (), b"{}"))
        assert peer.statuses == [413 if oversized else 202]
        assert self.in_hand is None

    @rule(request_id=IDS)
    def begin_a_stream(self, request_id: str) -> None:
        peer = Peer(f"{BASE}/invocation/{request_id}/response")
        begun = self.session.begin_response(peer, peer.path, ())
        if isinstance(begun, Answer):
            peer.statuses.append(begun.status)
            assert request_id != self.in_hand or self.stream is not None
        else:
            assert begun.request_id == self.in_hand
            self.streams.append(peer)
            self.stream = peer

    @rule(
        index=st.integers(0, 5),
        how=st.sampled_from(["end", "error", "break", "overflow"]),
    )
    def end_a_stream(self, index: int, how: str) -> None:
        if not self.streams:
            return
        peer = self.streams[index % len(self.streams)]
        was_current = peer is self.stream and self.in_hand is not None
        trailers = ((b"lambda-runtime-function-error-type", b"X"),) if how == "error" else ()
        if how == "break":
            commands = self.session.break_response(peer)
        elif how == "overflow":
            commands = self.session.overflow_response(peer, 1)
        else:
            commands = self.session.end_response(peer, trailers)
        assert bool(commands) == was_current
        self.perform(commands)
        assert len(peer.statuses) <= 1

    @rule()
    def init_error(self) -> None:
        assert len(self.ask("POST", f"{BASE}/init/error").statuses) == 1

    @rule(method=st.sampled_from(["GET", "POST", "PUT"]), path=st.text(max_size=40))
    def garbage(self, method: str, path: str) -> None:
        assert self.ask(method, path).statuses in ([404], [405])

    @rule(index=st.integers(0, 5))
    def lose_a_poll(self, index: int) -> None:
        if self.polls:
            self.session.poll_lost(self.polls.pop(index % len(self.polls)))

    @rule()
    def dispatch(self) -> None:
        before = self.session.state
        request_id = str(self.invocations)
        result = self.session.dispatch(InvocationMessage(request_id, b"", 0, "arn", "trace"))
        if isinstance(result, NotPolling):
            assert before is not State.READY
            assert self.session.state is before
            return
        assert before is State.READY
        self.invocations += 1
        self.in_hand = request_id
        assert isinstance(result.exchange, Peer)
        assert result.exchange in self.polls
        assert result.exchange.path.endswith("/next")
        result.exchange.statuses.append(200)

    @rule()
    def begin_reset(self) -> None:
        self.session.begin_reset(ShutdownReason.TIMEOUT, 0)
        self.in_hand = self.stream = None

    @rule()
    def reset(self) -> None:
        self.perform(self.session.reset())
        self.in_hand = self.stream = None

    @rule()
    def a_fresh_process_is_never_refused(self) -> None:
        """Not wedged: whatever came before, reset, next and dispatch work."""
        if self.session.state is State.CLOSED:
            return
        self.begin_reset()
        self.reset()
        self.next()
        assert self.session.state is State.READY
        self.dispatch()
        assert self.session.state is State.INVOKING

    @rule(really=st.sampled_from([False] * 9 + [True]))
    def close(self, really: bool) -> None:
        if really:
            self.session.shutdown(ShutdownReason.SPINDOWN, 0)
            self.in_hand = self.stream = None

    @invariant()
    def each_is_answered_at_most_once(self) -> None:
        assert all(count == 1 for count in self.answered.values())
        assert all(len(peer.statuses) <= 1 for peer in self.polls)

    @invariant()
    def it_agrees_on_what_is_in_hand(self) -> None:
        assert self.session.request_id == self.in_hand


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
