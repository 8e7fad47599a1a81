"""What is asked of the engine for an environment: one thing after the other, from its launch on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from lambdash.emulator import failures
from lambdash.emulator.delivery import Subscriber
from lambdash.emulator.environment import ExecutionEnvironment
from lambdash.emulator.listener import Explanation
from lambdash.emulator.variables import Place, variables
from lambdash.engines.protocol import Engine, Sandbox, SandboxSpec
from lambdash.errors import LambdashError
from lambdash.model import Revision
from lambdash.model.progress import silent


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """``failed`` is told why an environment can serve no more; ``spec`` finds its package."""

    engine: Engine
    place: Place
    spec: Callable[[Revision], SandboxSpec]
    failed: Callable[[ExecutionEnvironment, Explanation], None]

    async def launch(self, environment: ExecutionEnvironment) -> bool:
        """Whether it was launched; a defect of ours is told, and raised as well."""
        revision, stream = environment.revision, environment.logs.stream
        given = variables(
            revision.configuration, self.place, stream.name, environment.initialization
        )
        try:
            prepared = await self.engine.prepare(self.spec(revision), silent)
            environment.sandbox = await self.engine.launch(
                prepared, environment.id, given, environment
            )
        except Exception as error:
            self.failed(environment, failures.gave_up(error))
            if not isinstance(error, LambdashError):
                raise
            return False
        environment.rest()
        return True

    async def start_runtime(self, environment: ExecutionEnvironment) -> None:
        """Its extensions have registered."""
        await self._ask(environment, self.engine.start_runtime)

    async def reset(self, environment: ExecutionEnvironment) -> None:
        """A new life of the runtime process."""
        grace_s = environment.stop_grace_s

        async def reset(sandbox: Sandbox) -> None:
            environment.life.begin_again()
            await self.engine.reset(sandbox, grace_s)
            if not environment.stopping:
                environment.reset_done()

        await self._ask(environment, reset)

    async def deliver(self, environment: ExecutionEnvironment, subscriber: Subscriber) -> None:
        """Hand telemetry to a subscriber until it is closed."""
        await self._ask(
            environment, lambda sandbox: subscriber.run(partial(self.engine.connect, sandbox))
        )

    async def stop(self, environment: ExecutionEnvironment) -> None:
        """Remove the sandbox, once its launch has come to an end."""
        if environment.launching is not None:
            await asyncio.wait([environment.launching])
        try:
            if environment.sandbox is not None:
                await self.engine.stop(environment.sandbox, environment.stop_grace_s)
        finally:
            await environment.disconnect()

    async def _ask(
        self, environment: ExecutionEnvironment, act: Callable[[Sandbox], Awaitable[None]]
    ) -> None:
        """Once its launch has come to an end, and unless it is being stopped."""
        if environment.launching is not None:
            await asyncio.wait([environment.launching])
        try:
            if environment.sandbox is not None and not environment.stopping:
                await act(environment.sandbox)
        except LambdashError as error:
            self.failed(environment, failures.gave_up(error))
