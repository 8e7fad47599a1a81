"""The parts of a running daemon, as its verbs need them."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lambdash.daemon.catalog import Catalog
from lambdash.daemon.control import EventStream
from lambdash.daemon.doors import Doors
from lambdash.daemon.engines import EngineChoice
from lambdash.daemon.imports import import_costs
from lambdash.emulator.deploy import Built, DeployOptions
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.variables import variables
from lambdash.engines.protocol import Engine, PullPolicy
from lambdash.errors import CallerError
from lambdash.storage.functions import Origin
from lambdash.storage.journal import JournalEntry


@dataclass(slots=True)
class Services:
    """``shutdown`` stops every environment and returns what was removed; the process ends after.

    ``watched`` counts the dev sessions of each function: while there is one, a revision that
    cannot initialise never takes over from the last good one.
    """

    emulator: Emulator
    catalog: Catalog
    engine: Engine
    choice: EngineChoice
    endpoint: str
    shutdown: Callable[[], Awaitable[dict[str, Any]]]
    doors: Doors
    started_at: float
    watched: Counter[str] = field(default_factory=Counter)

    @property
    def uptime_s(self) -> float:
        """How long this daemon has been there."""
        return time.monotonic() - self.started_at

    def pull_policy(self, body: dict[str, Any]) -> PullPolicy:
        """The request's ``pull``, else the manifest's. Raises ``CallerError``."""
        asked = body.get("pull") or self.catalog.manifest().pull
        try:
            return PullPolicy(asked)
        except ValueError as error:
            raise CallerError("request-invalid", f"`pull` is {asked!r}: no policy") from error

    async def imports(self, entry: JournalEntry) -> list[dict[str, Any]]:
        """Import costs of the invocation's function, as it is deployed now."""
        deployed = self.emulator.functions.get(entry.function)
        if deployed is None:
            raise CallerError("function-not-found", f"`{entry.function}` is not deployed any more")
        spec = self.emulator.deployer.spec(deployed.revision, PullPolicy.MISSING)
        given = variables(deployed.function.configuration, self.emulator.place, "imports")
        return await import_costs(self.engine, spec, given)

    async def up_to_date(
        self, name: str, options: DeployOptions, stream: EventStream
    ) -> tuple[float, Built | None]:
        """Deploy the function first when its source has changed; said in a line.

        Returns when that was known (monotonic seconds), and what was built if anything was.
        Raises what the manifest or the build raises: never is old code run instead.
        """
        made = self.emulator.functions.get(name)
        by_api = made is not None and made.origin is Origin.API
        if by_api and name not in self.catalog.manifest().functions:
            return time.monotonic(), None
        function = self.catalog.function(name)
        deployer = self.emulator.deployer
        change = await deployer.change(function)
        known_at = time.monotonic()
        if change.action == "unchanged" and deployer.is_stored(name):
            return known_at, None
        before = self.emulator.functions.get(name)
        await self.doors.make_resources()
        if self.watched[name] > 0:
            built = await deployer.replace(function, options, stream.progress)
        else:
            built = await deployer.deploy(function, options, stream.progress)
        await self.doors.refresh()
        if before is None or before.revision.id != built.deployed.revision.id:
            why = ", ".join(built.change.why) or "new"
            stream.notice(f"deployed {name} ({why}) in {built.build_ms:.0f} ms")
        return known_at, built


def number_of(body: dict[str, Any], member: str, otherwise: float) -> float:
    """A number, or ``otherwise`` where there is none. Raises ``CallerError``."""
    value = body.get(member)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CallerError("request-invalid", f"`{member}` is not a number")
    return value


def text_of(body: dict[str, Any], member: str) -> str:
    """A member that must be there. Raises ``CallerError``."""
    value = body.get(member)
    if not isinstance(value, str) or not value:
        raise CallerError("request-invalid", f"`{member}` is missing")
    return value
