"""One launch: create and start, with the launcher's greeting taken as soon as it comes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass

from lambdash import limits
from lambdash.engines.channel import Assignment, Channel
from lambdash.engines.docker import specs
from lambdash.engines.docker.connection import EngineRefused
from lambdash.engines.docker.doors import Door, Doors
from lambdash.engines.docker.namespaces import Lease, Namespaces, Workshop
from lambdash.engines.docker.sandbox import DockerSandbox, Order
from lambdash.engines.docker.specs import Joined
from lambdash.errors import PlatformError


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one try holds, all of it to be given back when it fails."""

    order: Order
    lease: Lease
    door: Door
    creating: asyncio.Task[str]


class Launches:
    """Exactly two engine calls a launch: create and start. Nothing is inspected."""

    def __init__(
        self, workshop: Workshop, namespaces: Namespaces, doors: Callable[[], Awaitable[Doors]]
    ) -> None:
        self._shop = workshop
        self._namespaces = namespaces
        self._doors = doors

    async def launch(self, order: Order) -> DockerSandbox:
        """A sandbox whose runtime process was started; a failed one is removed again.

        A pause can die unseen between two launches: then another namespace is tried, once.
        """
        with self._namespaces.launching():
            try:
                return await self._try(order)
            except _PauseGone as gone:
                self._namespaces.pause_died(gone.pause)
            return await self._try(order)

    def turn_to_end(self, lease: Lease) -> AbstractAsyncContextManager[object]:
        """Held from a container's death to the end of its removal, where it has an endpoint."""
        if isinstance(lease.network, Joined):
            return nullcontext()
        return self._namespaces.turn_to_end(lease.key)

    async def retire(self, sandbox: DockerSandbox, turn: AsyncExitStack) -> None:
        """Remove a sandbox's container; its namespace can be lent again afterwards."""
        async with turn:
            await self._remove(sandbox.container)
        self._namespaces.give_back(sandbox.lease)

    async def _try(self, order: Order) -> DockerSandbox:
        key = order.prepared.key
        await self._namespaces.ensure(key)
        door = await (await self._doors()).open(order.environment_id[:16])
        lease = self._namespaces.take(key)
        order.report.mark("network_ready", self._shop.clock.monotonic())
        body = specs.placed(order.body, door.control, order.prepared.mounts, lease.network)
        creating = self._shop.tasks.spawn(self._create(order, body), "create a container")
        attempt = _Attempt(order, lease, door, creating)
        try:
            return await self._run(attempt)
        except asyncio.CancelledError:
            self._shop.tasks.spawn(self._undo(attempt), "undo a cancelled launch")
            raise
        except Exception as error:
            await asyncio.shield(self._shop.tasks.spawn(self._undo(attempt), "undo a launch"))
            raise _told(error, attempt) from error

    async def _run(self, attempt: _Attempt) -> DockerSandbox:
        container = await asyncio.shield(attempt.creating)
        attempt.order.report.mark("created", self._shop.clock.monotonic())
        starting = self._shop.tasks.spawn(self._start(attempt, container), "start a container")
        channel = await self._assigned(attempt, starting)
        order = attempt.order
        return DockerSandbox(order.environment_id, container, channel, attempt.lease, order.report)

    async def _assigned(self, attempt: _Attempt, starting: asyncio.Task[None]) -> Channel:
        """The launcher's channel, with the runtime process started.

        The engine's own reply can come later than the function's first answer, which must name
        its sandbox and have its log drained: only a refusal is waited for.
        """
        assigning = asyncio.ensure_future(self._assign(attempt))
        try:
            await asyncio.wait({starting, assigning}, return_when=asyncio.FIRST_COMPLETED)
            if not assigning.done():
                starting.result()
            return await assigning
        except BaseException:
            assigning.cancel()
            await asyncio.wait({assigning})
            if not assigning.cancelled() and assigning.exception() is None:
                assigning.result().close()
            raise

    async def _create(self, order: Order, body: specs.Body) -> str:
        connection, owner = self._shop.connection, self._shop.owner
        function = order.prepared.revision.function_name
        name = specs.container_name(owner, function, order.environment_id)
        api = connection.api
        created = await connection.call(api.create_container_from_config, body, name)
        return str(created["Id"])

    async def _start(self, attempt: _Attempt, container: str) -> None:
        try:
            await self._shop.connection.call(self._shop.connection.api.start, container)
        except EngineRefused as refusal:
            if isinstance(attempt.lease.network, Joined) and refusal.status in {404, 409}:
                raise _PauseGone(attempt.lease.network.pause, refusal) from refusal
            raise
        attempt.order.report.mark_once("started", self._shop.clock.monotonic())

    async def _assign(self, attempt: _Attempt) -> Channel:
        channel = await self._greeted(attempt)
        order = attempt.order
        order.report.mark_once("started", self._shop.clock.monotonic())
        startup = order.prepared.startup
        given = (*order.prepared.additions.items(), *order.variables)
        gateway_port = None
        if order.gateway is not None:
            channel.gateway, gateway_port = order.gateway.connection, channel.gateway_port
        assignment = Assignment(
            arguments=startup.arguments,
            variables=startup.variables(given, channel.runtime_port, gateway_port),
            working_directory=startup.working_directory,
            extensions=specs.EXTENSIONS,
        )
        try:
            await channel.assign(assignment, order.report)
        except BaseException:
            channel.close()
            raise
        return channel

    async def _greeted(self, attempt: _Attempt) -> Channel:
        """The launcher's channel, unless its container dies first."""
        died = asyncio.ensure_future(attempt.order.report.container_died.wait())
        greeting = asyncio.ensure_future(attempt.door.accept(limits.LAUNCHER_CONNECT_TIMEOUT_S))
        try:
            await asyncio.wait({died, greeting}, return_when=asyncio.FIRST_COMPLETED)
            if not greeting.done():
                raise PlatformError(
                    "sandbox-lost",
                    "the container ended before its launcher could connect",
                    "see `docker events` and the engine's own log for the reason",
                )
            return greeting.result()
        finally:
            died.cancel()
            greeting.cancel()

    async def _undo(self, attempt: _Attempt) -> None:
        attempt.order.report.silence()
        attempt.door.close()
        try:
            container = await attempt.creating
            async with self.turn_to_end(attempt.lease):
                await self._remove(container)
        except EngineRefused:
            if not _refused(attempt.creating):
                raise
        finally:
            self._namespaces.give_back(attempt.lease)

    async def _remove(self, container: str) -> None:
        connection = self._shop.connection
        await connection.forget_missing(
            connection.api.remove_container, container, force=True, v=True
        )


class _PauseGone(Exception):
    """The namespace to join does not exist any more."""

    def __init__(self, pause: str, refusal: EngineRefused) -> None:
        super().__init__(refusal.message)
        self.pause = pause
        self.refusal = refusal


def _refused(creating: asyncio.Task[str]) -> bool:
    return creating.done() and not creating.cancelled() and creating.exception() is not None


def _told(error: Exception, attempt: _Attempt) -> Exception:
    """The engine's refusals with the function's name in front; other errors as they are."""
    if not isinstance(error, EngineRefused):
        return error
    function = attempt.order.prepared.revision.function_name
    return EngineRefused(
        error.status,
        f"the engine could not start a container for function `{function}`: {error.message}",
        "see `lambdash doctor`; the engine's own log says more",
    )
