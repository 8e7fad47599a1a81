"""Removal of what a daemon left in the engine: by label, of this project and no other."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from lambdash import limits
from lambdash.engines.docker import labels
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.labels import Owner
from lambdash.engines.freezer import freezer_of
from lambdash.tasks import together


async def collect(connection: Connection, owner: Owner) -> dict[str, int]:
    """Remove what other daemons of this project made: dead ones, for one holds the lock."""

    def foreign(entry: dict[str, Any]) -> bool:
        marks = entry.get("Labels") or {}
        return marks.get(labels.DAEMON) != owner.daemon

    await _thaw(connection, owner.project_filter(), foreign)
    return await _remove(connection, owner.project_filter(), foreign)


async def sweep(connection: Connection, owner: Owner) -> dict[str, int]:
    """Remove whatever this daemon made and still has in the engine, and the project's network.

    A network that containers of others are attached to stays.
    """
    removed = await _remove(connection, owner.daemon_filter(), lambda entry: True)
    removed["networks"] += await _networks(connection, owner.project_filter(), lambda entry: True)
    return removed


async def _remove(
    connection: Connection, filters: dict[str, list[str]], chosen: Callable[[dict[str, Any]], bool]
) -> dict[str, int]:
    """Containers first, for they hold networks and volumes."""
    api = connection.api
    containers = await connection.call(api.containers, all=True, filters=filters)
    ids = [entry["Id"] for entry in containers if chosen(entry)]
    removed = {"containers": await _each(connection, api.remove_container, ids, force=True, v=True)}
    removed["networks"] = await _networks(connection, filters, chosen)
    listing = await connection.call(api.volumes, filters=filters)
    names = [entry["Name"] for entry in listing.get("Volumes") or [] if chosen(entry)]
    removed["volumes"] = await _each(connection, api.remove_volume, names)
    return removed


async def _thaw(
    connection: Connection, filters: dict[str, list[str]], chosen: Callable[[dict[str, Any]], bool]
) -> None:
    """What the dead daemon had frozen behind the engine's back could not be killed by it."""
    api = connection.api
    running = await connection.call(api.containers, filters=filters)
    for entry in running:
        if not chosen(entry):
            continue
        with contextlib.suppress(EngineRefused):
            details = await connection.call(api.inspect_container, entry["Id"])
            freezer = freezer_of(details["State"]["Pid"])
            if freezer is not None:
                await freezer.release()


async def _networks(
    connection: Connection, filters: dict[str, list[str]], chosen: Callable[[dict[str, Any]], bool]
) -> int:
    networks = await connection.call(connection.api.networks, filters=filters)
    ids = [entry["Id"] for entry in networks if chosen(entry)]
    return await _each(connection, connection.api.remove_network, ids)


async def _each(
    connection: Connection, action: Callable[..., object], names: Iterable[str], **named: Any
) -> int:
    """Remove all, a bounded number at once; what has gone meanwhile is fine."""
    slots = asyncio.Semaphore(limits.ENGINE_CALLS_MAX)

    async def one(name: str) -> bool:
        async with slots:
            return await connection.forget_missing(action, name, **named)

    return sum(await together(*(one(name) for name in names)))
