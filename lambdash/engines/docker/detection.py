"""Is an engine installed, and does it answer? What the choice between engines asks.

*Installed* means: ``DOCKER_HOST`` or a context names an engine, a well-known socket exists, or a
daemon's own program (``dockerd``, ``podman``, ``colima``, Docker Desktop) is on this machine. The
bare ``docker`` client with no socket anywhere is not an engine: it counts as not installed.
"""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from lambdash.engines.docker.address import (
    EngineAddress,
    Surroundings,
    daemon_program,
    find_address,
)
from lambdash.engines.docker.connection import connect
from lambdash.errors import LambdashError, PlatformError


@dataclass(frozen=True, slots=True)
class Found:
    """An engine answers at this address."""

    address: EngineAddress


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """No engine on this machine, and none named elsewhere."""


@dataclass(frozen=True, slots=True)
class Refuses:
    """An engine is installed or named and cannot be used; never a reason to fall back silently."""

    error: LambdashError


Detection: TypeAlias = Found | NotInstalled | Refuses


async def detect(surroundings: Surroundings) -> Detection:
    """Look and connect once; never raises."""
    return await asyncio.to_thread(_detect, surroundings)


def required_address(surroundings: Surroundings) -> EngineAddress:
    """The engine's address, or ``PlatformError`` (``docker-not-found``) with what to do."""
    address = find_address(surroundings)
    if address is not None:
        return address
    program = daemon_program(surroundings)
    if program is None:
        raise PlatformError(
            "docker-not-found",
            "no Docker engine is installed on this machine",
            "install Docker (https://docs.docker.com/engine/install/), or use `--engine process`",
        )
    raise PlatformError(
        "docker-not-found",
        f"{program} is installed, but no engine listens on {surroundings.default_socket}",
        "start it, or point DOCKER_HOST at its socket; or use `--engine process`",
    )


def _detect(surroundings: Surroundings) -> Detection:
    try:
        if find_address(surroundings) is None and daemon_program(surroundings) is None:
            return NotInstalled()
        address = required_address(surroundings)
        connect(address).close()
    except LambdashError as error:
        return Refuses(error)
    return Found(address)
