from collections.abc import Iterator
from typing import Any

import docker
import pytest


@pytest.fixture(scope="session")
def api(docker_engine: None) -> Iterator[Any]:
    """The engine's raw API."""
    client = docker.APIClient(version="auto")
    yield client
    client.close()
