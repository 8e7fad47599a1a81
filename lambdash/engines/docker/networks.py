"""Docker networks: the project's own bridge, made when first needed, or one that exists already."""

import asyncio
import difflib

from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.labels import Owner
from lambdash.errors import CallerError
from lambdash.tasks import Tasks


class Networks:
    """Each network is looked up once; ``forget`` makes the next ``ensure`` look again."""

    def __init__(self, connection: Connection, owner: Owner, tasks: Tasks) -> None:
        self._connection = connection
        self._owner = owner
        self._tasks = tasks
        self._known: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def ensure(self, network: str) -> None:
        """Raises ``CallerError`` (``network-not-found``, ``network-unsupported``)."""
        task = self._known.get(network)
        if task is None:
            task = self._tasks.spawn(self._look(network), f"network {network}")
            self._known[network] = task
        try:
            await asyncio.shield(task)
        except BaseException:
            if task.done():
                self.forget(network)
            raise

    def turn_to_end(self, network: str) -> asyncio.Lock:
        """Held while a container with an endpoint of this network ends and is removed.

        Docker (seen with 20.10) counts endpoints in a record changed without a lock. When many
        end at once decrements are lost, and the network "has active endpoints" until the engine
        is started anew: https://github.com/moby/moby/issues/42119. A lost increment does no harm,
        for the count stops at nought: starts need no turn, nor does who joined a namespace.
        """
        return self._turns.setdefault(network, asyncio.Lock())

    def forget(self, network: str) -> None:
        """The engine said that it is not there (any more)."""
        self._known.pop(network, None)

    async def _look(self, network: str) -> None:
        if network == self._owner.network:
            await self._own()
        elif network == "host":
            raise CallerError(
                "network-unsupported",
                "`network: host` would give every environment the same 127.0.0.1:9001",
                "leave `network` out, and reach this machine as `host.docker.internal`",
            )
        else:
            await self._existing(network)

    async def _own(self) -> None:
        api = self._connection.api
        found = await self._connection.call(api.networks, names=[self._owner.network])
        if any(entry["Name"] == self._owner.network for entry in found):
            return
        await self._connection.call(
            api.create_network,
            self._owner.network,
            driver="bridge",
            check_duplicate=True,
            labels=self._owner.labels("network"),
        )

    async def _existing(self, network: str) -> None:
        api = self._connection.api
        try:
            await self._connection.call(api.inspect_network, network)
        except EngineRefused as refusal:
            if refusal.status != 404:
                raise
            names = [entry["Name"] for entry in await self._connection.call(api.networks)]
            near = difflib.get_close_matches(network, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "list them with `docker network ls`"
            raise CallerError(
                "network-not-found", f"the engine has no network `{network}`", hint
            ) from refusal
