"""What every part of the suite shares: whether there is a container engine to test with."""

import os

import docker
import docker.errors
import pytest


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """An engine answers. Without one: a failure in CI, elsewhere one loud skip."""
    try:
        client = docker.from_env(timeout=20)
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        if os.environ.get("LAMBDASH_REQUIRE_DOCKER") or os.environ.get("CI"):
            pytest.fail(f"a Docker engine is required here: {error}")
        pytest.skip(f"NO DOCKER ENGINE ANSWERS: NOTHING WAS TESTED IN CONTAINERS ({error})")
