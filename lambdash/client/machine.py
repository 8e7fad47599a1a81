"""What this machine can run: the newest runtime of a family that has an image or an interpreter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdash.engines.docker.detection import Detection
    from lambdash.engines.images.table import Runtime

FALLBACKS = {"python": "python3.13", "nodejs": "nodejs22.x", "provided": "provided.al2023"}


def detect_engine() -> Detection:
    """Whether a Docker engine is installed and answers; blocking, never raises."""
    from lambdash.engines.docker.address import Surroundings
    from lambdash.engines.docker.detection import detect

    surroundings = Surroundings(os.environ, Path.home())
    return asyncio.run(detect(surroundings))


def newest_runnable(family: str) -> str:
    """The newest runtime of ``python``, ``nodejs`` or ``provided`` that can run here as it is.

    That is: its official image or the one made from this machine is local, or its interpreter is
    installed. When none can, the one that a pull will most likely bring.
    """
    runtimes = _newest_first(family)
    local = local_images()
    for runtime in runtimes:
        if {runtime.image, runtime.host_image} & local or _has_interpreter(runtime):
            return runtime.identifier
    return FALLBACKS[family]


def base_image(identifier: str) -> str:
    """A Dockerfile's base: the official image, or the one made here when only that is local."""
    from lambdash.engines.images.table import RUNTIMES

    runtime, local = RUNTIMES[identifier], local_images()
    made_here = runtime.host_image in local and runtime.image not in local
    return runtime.host_image if made_here else runtime.image


def installed_interpreters() -> Iterator[tuple[str, Path]]:
    """Every Python and Node runtime this machine has the interpreter of, newest first."""
    from lambdash.engines.images.runtimes import find_interpreter

    for family in ("python", "nodejs"):
        for runtime in _newest_first(family):
            found = find_interpreter(runtime.identifier)
            if found is not None:
                yield runtime.identifier, found


@cache
def local_images() -> frozenset[str]:
    """The references of the images a reachable engine holds; empty when none answers."""
    from lambdash.engines.docker.connection import connect
    from lambdash.engines.docker.detection import Found

    detection = detect_engine()
    if not isinstance(detection, Found):
        return frozenset()
    api = connect(detection.address)
    try:
        return frozenset(tag for image in api.images() for tag in image.get("RepoTags") or ())
    finally:
        api.close()


def _newest_first(family: str) -> list[Runtime]:
    from lambdash.engines.images.table import RUNTIMES

    found = [runtime for runtime in RUNTIMES.values() if runtime.family.value == family]
    return found[::-1]


def _has_interpreter(runtime: Runtime) -> bool:
    from lambdash.engines.images.runtimes import find_interpreter

    return find_interpreter(runtime.identifier) is not None
