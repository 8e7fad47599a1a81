"""What a store has in the engine, removed from outside any daemon."""

from contextlib import closing
from pathlib import Path

import docker.errors

from lambdash.engines.docker import labels
from lambdash.engines.docker.address import Surroundings, find_address
from lambdash.engines.docker.connection import connect


def prune_volumes(surroundings: Surroundings, store: Path) -> int:
    """Remove the store's content-addressed volumes; returns how many. Blocking.

    The caller knows that no daemon uses the store: one remembers which volumes are there. What a
    container holds stays. Without an engine there is nothing.

    Raises:
        PlatformError: there is an engine, and it cannot be reached.
    """
    address = find_address(surroundings)
    if address is None:
        return 0
    mine = {"label": [f"{labels.MARK}=1", f"{labels.STORE}={labels.store_id(store)}"]}
    removed = 0
    with closing(connect(address)) as api:
        for volume in api.volumes(filters={**mine, "dangling": ["true"]}).get("Volumes") or []:
            try:
                api.remove_volume(volume["Name"])
            except docker.errors.APIError:  # taken into use, or removed by another, meanwhile
                continue
            removed += 1
    return removed
