"""What every part of the suite shares: whether there is a container engine to test with."""

import os
import signal

import docker
import docker.errors
import pytest


def pytest_configure() -> None:
    """What is started in the background ignores Ctrl-C, and so would every command tested here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
