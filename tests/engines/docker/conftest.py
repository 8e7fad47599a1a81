import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions, Found, Owner, SpareBounds
from lambdash.engines.docker.address import Surroundings, find_address
from lambdash.engines.docker.detection import detect
from lambdash.engines.protocol import SandboxSpec
from lambdash.model import FunctionConfiguration, Revision, ZipPackage
from tests.engines.docker.shell_image import ShellImages, make

POLLING = """#!/bin/sh
while :; do
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n' | nc 127.0.0.1 9001
done
"""
# Does what each answer says, so that a test decides what happens inside.
OBEDIENT = """#!/bin/sh
while :; do
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n' |
    nc 127.0.0.1 9001 > /tmp/answer
  tail -n 1 /tmp/answer > /tmp/command
  . /tmp/command
done
"""


def surroundings() -> Surroundings:
    return Surroundings(os.environ, Path.home())


@pytest.fixture(scope="session")
def api() -> Iterator[Any]:
    """The engine's raw API; skips without an engine, unless in CI; nothing of ours may remain."""
    address = find_address(surroundings())
    if address is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a Docker engine")
        pytest.skip("no Docker engine answers on this machine")
    client = docker.APIClient(base_url=address.url, version="auto")
    before = leftovers(client)
    make(client)
    yield client
    left = {kind: names - before[kind] for kind, names in leftovers(client).items()}
    client.close()
    assert left == {"containers": set(), "networks": set(), "volumes": set()}


def leftovers(client: Any) -> dict[str, set[str]]:
    mine = {"label": ["lambdash=1"]}
    containers = {entry["Id"] for entry in client.containers(all=True, filters=mine)}
    networks = {entry["Name"] for entry in client.networks(filters=mine)}
    volumes = {entry["Name"] for entry in client.volumes(filters=mine)["Volumes"] or []}
    return {"containers": containers, "networks": networks, "volumes": volumes}


@pytest.fixture
def options(api: Any, tmp_path: Path) -> DockerOptions:
    project = secrets.token_hex(6)
    return DockerOptions(
        owner=Owner(project, f"{os.getpid()}-{secrets.token_hex(4)}"),
        runtime_dir=Path("/tmp") / f"lambdash-test-{project}",
        store=tmp_path / "store",
        surroundings=surroundings(),
        images=ShellImages,
        spares=SpareBounds(minimum=1, maximum=4, memory_s=60),
    )


@pytest.fixture
async def engine(options: DockerOptions) -> AsyncIterator[DockerEngine]:
    assert isinstance(await detect(options.surroundings), Found)
    engine = DockerEngine(options)
    await engine.start()
    yield engine
    await engine.close()
    shutil.rmtree(options.runtime_dir)


@pytest.fixture
def obedient(tmp_path: Path) -> Path:
    """A package tree whose bootstrap runs each answer as a shell command, then polls again."""
    return write_tree(tmp_path / "obedient", OBEDIENT)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package tree whose bootstrap polls for ever."""
    return write_tree(tmp_path / "tree", POLLING)


def write_tree(folder: Path, bootstrap: str) -> Path:
    folder.mkdir()
    (folder / "bootstrap").write_text(bootstrap)
    (folder / "bootstrap").chmod(0o755)
    folder.chmod(0o755)
    return folder


def specification(tree: Path, **configuration: Any) -> SandboxSpec:
    settings = {"function_name": "hello", "runtime": "provided.al2023", "handler": "app.handler"}
    package = ZipPackage(tree_digest=secrets.token_hex(32), size_bytes=1)
    return SandboxSpec(
        Revision(FunctionConfiguration(**{**settings, **configuration}), package), tree
    )
