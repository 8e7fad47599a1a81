"""The docker engine's case of the contract, and what its tests share: an engine, a tiny image."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from lambdash.engines.docker import (
    DockerEngine,
    DockerOptions,
    Owner,
    SpareBounds,
    Surroundings,
    labels,
)
from lambdash.engines.docker.address import find_address
from lambdash.engines.docker.reach import Reach
from lambdash.engines.protocol import Engine
from tests.engines.contract import REQUEST_BY_NC, EngineCase
from tests.engines.docker.shell_image import ShellImages, make
from tests.session import Session


def surroundings() -> Surroundings:
    return Surroundings(os.environ, Path.home())


def raw_api() -> Any:
    """The engine's raw API, with the shell image in it; skips without an engine, but not in CI."""
    address = find_address(surroundings())
    if address is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a Docker engine")
        pytest.skip("no Docker engine answers on this machine")
    client = docker.APIClient(base_url=address.url, version="auto")
    make(client)
    return client


def options_below(root: Path) -> DockerOptions:
    """A project of its own, that holds few spares."""
    project, session = secrets.token_hex(6), Session.current()
    session.claim(f"{labels.PROJECT}={project}")
    session.claim(f"{labels.STORE}={labels.store_id(root / 'store')}")
    return DockerOptions(
        owner=Owner(project, f"{os.getpid()}-{secrets.token_hex(4)}"),
        runtime_dir=root / "run",
        store=root / "store",
        surroundings=surroundings(),
        images=ShellImages,
        reach=Reach(bind=True, same_kernel=True),
        spares=SpareBounds(minimum=1, maximum=4, memory_s=60),
    )


def belongings(client: Any, project: str) -> list[str]:
    """Every container and network of a project, by name."""
    mine = {"label": [f"lambdash.project={project}"]}
    containers = [entry["Names"][0] for entry in client.containers(all=True, filters=mine)]
    return containers + [entry["Name"] for entry in client.networks(filters=mine)]


@asynccontextmanager
async def docker_case() -> AsyncIterator[EngineCase]:
    root = Path(tempfile.mkdtemp(prefix="lambdash-test-"))
    options = options_below(root)
    engines: list[DockerEngine] = []

    async def start() -> Engine:
        owner = Owner(options.owner.project, f"{os.getpid()}-{secrets.token_hex(4)}")
        engine = DockerEngine(replace(options, owner=owner))
        await engine.start()
        engines.append(engine)
        return engine

    with closing(raw_api()) as client:
        try:
            yield EngineCase(
                "docker", start, REQUEST_BY_NC, lambda: belongings(client, options.owner.project)
            )
            for engine in engines:
                await engine.close()
            assert belongings(client, options.owner.project) == []
        finally:
            shutil.rmtree(root, ignore_errors=True)
