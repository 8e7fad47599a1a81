"""Short words for the conversations: what is said to a pool, and what it answers."""

import itertools
from collections.abc import Sequence

from lambdash.model import Scaling
from lambdash.pool import (
    Command,
    EnvironmentReady,
    EnvironmentResponded,
    EnvironmentState,
    Event,
    FunctionDeployed,
    InvocationArrived,
    Launch,
    Pool,
    PoolOptions,
)


class Conversation:
    """A pool whose environments are called e1, e2, ...; time stands still until told."""

    def __init__(self, options: PoolOptions | None = None) -> None:
        self.pool = Pool(map("e{}".format, itertools.count(1)).__next__, options)
        self.now = 0.0

    def tell(self, *events: Event) -> list[Command]:
        commands: list[Command] = []
        for event in events:
            commands += self.pool.handle(event, self.now)
        return commands

    def deploy(
        self,
        function: str = "f",
        revision: str = "r1",
        memory_mb: int = 128,
        group: str | None = None,
        **scaling: float | None,
    ) -> list[Command]:
        how = Scaling(**scaling)  # type: ignore[arg-type]
        return self.tell(FunctionDeployed(function, revision, how, memory_mb, group))

    def arrive(self, *invocations: str, function: str = "f", cold: bool = False) -> list[Command]:
        return self.tell(*(InvocationArrived(each, function, cold) for each in invocations))

    def ready(self, *environments: str) -> list[Command]:
        return self.tell(*map(EnvironmentReady, environments))

    def respond(self, *environments: str) -> list[Command]:
        return self.tell(*map(EnvironmentResponded, environments))

    def turn(self, environment: str) -> list[Command]:
        """It answers and polls again."""
        return self.respond(environment) + self.ready(environment)

    def warm(self, count: int = 1, function: str = "f") -> list[str]:
        """Bring up ``count`` idle environments; the last one was used last."""
        invocations = [f"warm-{function}-{number}" for number in range(count)]
        launched = self.arrive(*invocations, function=function)
        names = [command.environment_id for command in launched if isinstance(command, Launch)]
        assert len(names) == count
        self.ready(*names)
        for name in names:
            self.turn(name)
        return names

    def wait(self, seconds: float) -> Sequence[Command]:
        self.now += seconds
        return self.pool.tick(self.now)

    def states(self) -> dict[str, EnvironmentState]:
        return {each.id: each.state for each in self.pool.environments()}
