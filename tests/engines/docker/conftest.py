import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions
from tests.engines.contract import REQUEST_BY_NC, EngineCase
from tests.engines.docker.case import belongings, options_below, raw_api


@pytest.fixture(scope="session")
def api(docker_engine: None) -> Iterator[Any]:
    """The engine's raw API."""
    client = raw_api()
    yield client
    client.close()


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
