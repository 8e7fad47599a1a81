"""Pause containers: network namespaces started ahead, lent to one environment at a time."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lambdash.clock import Clock
from lambdash.engines.docker import specs
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.labels import Owner
from lambdash.engines.docker.networks import Networks
from lambdash.engines.docker.pauses import PauseLedger, SpareBounds
from lambdash.engines.docker.specs import Joined, NetworkKey, Own
from lambdash.errors import LambdashError
from lambdash.tasks import Tasks, together


@dataclass(frozen=True, slots=True)
class Lease:
    """One environment's namespace: a pause's, or none ready and so the container's own."""

    key: NetworkKey
    pause: str | None

    @property
    def network(self) -> Joined | Own:
        return Own(self.key) if self.pause is None else Joined(self.pause)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every part that makes things in the engine shares."""

    connection: Connection
    owner: Owner
    tasks: Tasks
    clock: Clock


class Namespaces:
    """Lends namespaces at once, and makes spares while no environment is being launched."""

    def __init__(
        self,
        workshop: Workshop,
        networks: Networks,
        image: Callable[[], Awaitable[str]],
        bounds: SpareBounds,
    ) -> None:
        self._shop = workshop
        self._networks = networks
        self._image = image
        self._bounds = bounds
        self._ledgers: dict[NetworkKey, PauseLedger] = {}
        self._launching = 0
        self._refilling = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    async def ensure(self, key: NetworkKey) -> None:
        """Have the network (raising what ``Networks.ensure`` raises) and begin to make spares."""
        await self._networks.ensure(key.network)
        if key not in self._ledgers:
            self._ledgers[key] = PauseLedger(self._bounds)
            self._refill_soon()

    @contextmanager
    def launching(self) -> Iterator[None]:
        """While inside, no spare is begun: the processors belong to the launch."""
        self._launching += 1
        try:
            yield
        finally:
            self._launching -= 1
            self._refill_soon()

    def take(self, key: NetworkKey) -> Lease:
        """A namespace, without waiting."""
        return Lease(key, self._ledgers[key].take(self._shop.clock.monotonic()))

    def give_back(self, lease: Lease) -> None:
        """The environment's container is gone."""
        self._ledgers[lease.key].give_back(lease.pause)
        self._refill_soon()

    def pause_died(self, pause: str) -> None:
        """The engine says that a pause ended; its remains are removed, a spare takes its place."""
        for key, ledger in self._ledgers.items():
            if ledger.holds(pause):
                ledger.lost(pause)
                self._shop.tasks.spawn(self._remove(key, pause), "remove a dead pause")
        if not self._closed:
            self._refill_soon()

    def only_living(self, running: frozenset[str]) -> None:
        """After events were missed: pauses that do not run any more are dead."""
        for ledger in tuple(self._ledgers.values()):
            for pause in ledger.all():
                if pause not in running:
                    self.pause_died(pause)

    def turn_to_end(self, key: NetworkKey) -> asyncio.Lock:
        """Held while a container that is on the network itself ends and is removed."""
        return self._networks.turn_to_end(key.network)

    def spares(self, key: NetworkKey) -> int:
        """How many can be lent at once without starting anything."""
        ledger = self._ledgers.get(key)
        return len(ledger.spare) if ledger else 0

    def begin_closing(self) -> None:
        """Begin no more pauses."""
        self._closed = True

    async def close(self) -> None:
        """Make no more, remove all, the one being made included; waits for all other work too."""
        self.begin_closing()
        if self._timer is not None:
            self._timer.cancel()
        await together(self._shop.tasks.join(), self._drain())
        await self._drain()

    async def _drain(self) -> None:
        pauses = [(key, pause) for key, each in self._ledgers.items() for pause in each.drain()]
        await together(*(self._remove(key, pause) for key, pause in pauses))

    def _refill_soon(self) -> None:
        if self._closed or self._launching or self._refilling or not self._unbalanced():
            return
        self._refilling = True
        self._shop.tasks.spawn(self._refill(), "refill namespaces")

    def _unbalanced(self) -> list[tuple[NetworkKey, PauseLedger]]:
        now = self._shop.clock.monotonic()
        return [
            (key, ledger)
            for key, ledger in self._ledgers.items()
            if ledger.missing(now) or ledger.excess(now)
        ]

    async def _refill(self) -> None:
        """One pause after the other, looking anew each time; a failure ends this round only."""
        try:
            while not self._closed and not self._launching:
                unbalanced = self._unbalanced()
                if not unbalanced:
                    break
                for key, ledger in unbalanced:
                    await self._balance(key, ledger)
        except LambdashError:
            for key in self._ledgers:
                self._networks.forget(key.network)
            raise
        finally:
            self._refilling = False
            self._look_again_later()

    async def _balance(self, key: NetworkKey, ledger: PauseLedger) -> None:
        now = self._shop.clock.monotonic()
        for surplus in ledger.surplus(now):
            await self._remove(key, surplus)
        if not ledger.missing(now):
            return
        ledger.begin()
        pause: str | None = None
        try:
            pause = await self._make(key)
        finally:
            ledger.made(pause)

    async def _make(self, key: NetworkKey) -> str:
        connection, api = self._shop.connection, self._shop.connection.api
        body = specs.pause(self._shop.owner, key, await self._image())
        name = specs.container_name(self._shop.owner, "pause", secrets.token_hex(6))
        created = await connection.call(api.create_container_from_config, body, name)
        pause = str(created["Id"])
        try:
            await connection.call(api.start, pause)
        except EngineRefused:
            await self._remove(key, pause)
            raise
        return pause

    async def _remove(self, key: NetworkKey, pause: str) -> None:
        api = self._shop.connection.api
        async with self.turn_to_end(key):
            await self._shop.connection.forget_missing(
                api.remove_container, pause, force=True, v=True
            )

    def _look_again_later(self) -> None:
        """Spares kept for a burst are given up once it is forgotten."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._bounds.memory_s + 1, self._refill_soon)
