import os
from collections.abc import Iterator
from typing import Any

import docker
import docker.errors
import pytest


@pytest.fixture(scope="session")
def api() -> Iterator[Any]:
    """The engine's raw API; without an engine these tests skip, and fail in CI."""
    client = None
    try:
        client = docker.APIClient(version="auto")
        client.ping()
    except docker.errors.DockerException as error:
        if client is not None:
            client.close()
        if os.environ.get("CI"):
            pytest.fail(f"CI needs a Docker engine: {error}")
        pytest.skip(f"no Docker engine answers on this machine: {error}")
    yield client
    client.close()
