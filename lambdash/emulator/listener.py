"""What an environment tells of itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from lambdash.emulator.delivery import Subscriber
from lambdash.emulator.flight import Flight
from lambdash.model import Outcome
from lambdash.pool import StopReason

if TYPE_CHECKING:
    from lambdash.emulator.environment import ExecutionEnvironment

# From a request id to the outcome its caller gets: AWS's texts name the invocation.
Explanation: TypeAlias = Callable[[str], Outcome]


class Listener(Protocol):
    """What an environment tells. Called on the event loop, in the middle of what happened."""

    def ready(self, environment: "ExecutionEnvironment") -> None:
        """The runtime polls for its next invocation."""
        ...

    def responded(self, environment: "ExecutionEnvironment", flight: Flight) -> None:
        """The runtime answered; ``flight.outcome`` is set."""
        ...

    def finished(self, flight: Flight) -> None:
        """The turn is over, all its marks are made: the journal may have it."""
        ...

    def poll_lost(self, environment: "ExecutionEnvironment") -> None:
        """The parked poll went away."""
        ...

    def failed(
        self, environment: "ExecutionEnvironment", reason: StopReason, explanation: Explanation
    ) -> None:
        """It can serve no more."""
        ...

    def extensions_registered(self, environment: "ExecutionEnvironment") -> None:
        """Every external extension has registered: the runtime process can be started."""
        ...

    def subscribed(self, environment: "ExecutionEnvironment", subscriber: Subscriber) -> None:
        """An extension listens: its deliveries have to be run."""
        ...

    def overdue(self, environment: "ExecutionEnvironment") -> None:
        """A deadline passed: of an invocation, or of the init phase."""
        ...
