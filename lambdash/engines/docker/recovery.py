"""Removal of what a daemon left in the engine: by label, of this project and no other."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

from lambdash import limits
from lambdash.engines.docker import labels
from lambdash.engines.docker.connection import Connection, EngineRefused
from lambdash.engines.docker.labels import Owner
from lambdash.engines.freezer import freezer_of
from lambdash.tasks import together

_log = logging.getLogger(__name__)
_KEPT = (
    "network %s could not be removed, which is tried again at the project's next start or stop;"
    " with no container on it, the engine lost count of them and must be started anew: %s"
)


async def collect(connection: Connection, owner: Owner) -> dict[str, int]:
    """Remove what other daemons of this project made: dead ones, for one holds the lock."""

    def foreign(entry: dict[str, Any]) -> bool:
        marks = entry.get("Labels") or {}
        return marks.get(labels.DAEMON) != owner.daemon

    await _thaw(connection, owner.project_filter(), foreign)
    return await _remove(connection, owner.project_filter(), foreign, networks=True)


async def sweep(connection: Connection, owner: Owner) -> dict[str, int]:
    """Remove whatever this daemon made and still has in the engine, and the project's network.

    A network that the engine says is in use stays: it is logged, counted in ``networks_kept`` and
    tried again whenever a daemon of the project starts or stops.
    """
    removed = await _remove(connection, owner.daemon_filter(), lambda entry: True, networks=False)
    networks = await _networks(connection, owner.project_filter(), lambda entry: True)
    return {**removed, **networks}


async def _remove(
    connection: Connection,
    filters: dict[str, list[str]],
    chosen: Callable[[dict[str, Any]], bool],
    *,
    networks: bool,
) -> dict[str, int]:
    """Containers first, for they hold networks and volumes."""
    api = connection.api
    removed = {"containers": await _containers(connection, filters, chosen)}
    if networks:
        removed |= await _networks(connection, filters, chosen)
    listing = await connection.call(api.volumes, filters=filters)
    names = [entry["Name"] for entry in listing.get("Volumes") or [] if chosen(entry)]
    removed["volumes"] = await _each(connection, api.remove_volume, names, limits.ENGINE_CALLS_MAX)
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


async def _containers(
    connection: Connection, filters: dict[str, list[str]], chosen: Callable[[dict[str, Any]], bool]
) -> int:
    """Who joined a namespace goes before its owner; owners one at a time."""
    api = connection.api
    listing = await connection.call(api.containers, all=True, filters=filters)
    found = [entry for entry in listing if chosen(entry)]
    removed = 0
    for joined, slots in ((True, limits.ENGINE_CALLS_MAX), (False, 1)):
        ids = [entry["Id"] for entry in found if _has_joined(entry) is joined]
        removed += await _each(connection, api.remove_container, ids, slots, force=True, v=True)
    return removed


def _has_joined(entry: dict[str, Any]) -> bool:
    mode = (entry.get("HostConfig") or {}).get("NetworkMode", "")
    return str(mode).startswith("container:")


async def _networks(
    connection: Connection, filters: dict[str, list[str]], chosen: Callable[[dict[str, Any]], bool]
) -> dict[str, int]:
    removed = kept = 0
    for entry in await connection.call(connection.api.networks, filters=filters):
        if not chosen(entry):
            continue
        try:
            await connection.call(connection.api.remove_network, entry["Id"])
            removed += 1
        except EngineRefused as refusal:
            if refusal.status not in {403, 404, 409}:
                raise
            if refusal.status != 404:
                kept += 1
                _log.warning(_KEPT, entry["Name"], refusal.message)
    return {"networks": removed, "networks_kept": kept}


async def _each(
    connection: Connection,
    action: Callable[..., object],
    names: Iterable[str],
    at_once: int,
    **named: Any,
) -> int:
    """Remove all, a bounded number at once; what has gone meanwhile is fine."""
    slots = asyncio.Semaphore(at_once)

    async def one(name: str) -> bool:
        async with slots:
            return await connection.forget_missing(action, name, **named)

    return sum(await together(*(one(name) for name in names)))
