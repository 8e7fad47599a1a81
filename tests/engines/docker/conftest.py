import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions
from tests.engines.contract import REQUEST_BY_NC, EngineCase
from tests.engines.docker.case import PROJECTS, belongings, options_below, raw_api


@pytest.fixture(scope="session")
def api(docker_engine: None) -> Iterator[Any]:
    """The engine's raw API; when all tests are done, nothing that they made may remain."""
    client = raw_api()
    before = volumes(client)
    yield client
    left = {name for project in PROJECTS for name in belongings(client, project)}
    left |= volumes(client) - before
    client.close()
    assert left == set()


def volumes(client: Any) -> set[str]:
    listing = client.volumes(filters={"label": ["lambdash=1"]})
    return {entry["Name"] for entry in listing["Volumes"] or []}


@pytest.fixture
def options(api: Any) -> Iterator[DockerOptions]:
    root = Path(tempfile.mkdtemp(prefix="lambdash-test-"))
    options = options_below(root)
    yield options
    shutil.rmtree(root)
    assert belongings(api, options.owner.project) == []


@pytest.fixture
async def engine(options: DockerOptions) -> AsyncIterator[DockerEngine]:
    engine = DockerEngine(options)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def case() -> EngineCase:
    """Only for its specification: a function that runs what it is sent."""

    async def start() -> Any:
        raise AssertionError("engines of these tests are fixtures")

    return EngineCase("docker", start, REQUEST_BY_NC, list)
