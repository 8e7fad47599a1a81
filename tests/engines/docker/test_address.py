"""Finding the engine, and saying what is wrong with it."""

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lambdash.engines.docker.address import EngineAddress, Surroundings, find_address
from lambdash.engines.docker.connection import connect
from lambdash.engines.docker.detection import Found, NotInstalled, Refuses, detect
from lambdash.errors import CallerError, PlatformError
from tests.engines.docker.case import surroundings


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: sockets are made below it."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def around(home: Path, **environ: str) -> Surroundings:
    return Surroundings({"PATH": str(home), **environ}, home, home / "run" / "docker.sock", "")


def add_context(home: Path, name: str, endpoint: dict[str, object]) -> None:
    identity = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker" / "contexts" / "meta" / identity
    folder.mkdir(parents=True)
    document = {"Name": name, "Endpoints": {"docker": endpoint}}
    (folder / "meta.json").write_text(json.dumps(document))


def listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    return listening


def test_docker_host_comes_first(home: Path) -> None:
    add_context(home, "far", {"Host": "tcp://far:2375"})
    given = around(home, DOCKER_HOST="tcp://here:2375", DOCKER_CONTEXT="far")
    assert find_address(given) == EngineAddress("tcp://here:2375", "DOCKER_HOST", tls_verify=False)


def test_docker_host_with_certificates(home: Path) -> None:
    given = around(home, DOCKER_HOST="tcp://here:2376", DOCKER_TLS_VERIFY="1")
    assert find_address(given) == EngineAddress(
        "tcp://here:2376", "DOCKER_HOST", tls_folder=home / ".docker"
    )


def test_the_current_context_is_read(home: Path) -> None:
    add_context(home, "far", {"Host": "tcp://far:2375", "SkipTLSVerify": True})
    (home / ".docker" / "config.json").write_text('{"currentContext": "far"}')
    found = find_address(around(home))
    assert found == EngineAddress("tcp://far:2375", "Docker context `far`", tls_verify=False)


def test_the_default_context_is_the_socket(home: Path) -> None:
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text('{"currentContext": "default"}')
    with listen(home / "run" / "docker.sock"):
        found = find_address(around(home))
    assert found is not None
    assert found.socket_path == home / "run" / "docker.sock"


def test_an_unknown_context_is_refused(home: Path) -> None:
    with pytest.raises(CallerError) as refused:
        find_address(around(home, DOCKER_CONTEXT="gone"))
    assert refused.value.code == "docker-context-unknown"


def test_a_rootless_socket_is_found(home: Path) -> None:
    with listen(home / "user" / "docker.sock"):
        found = find_address(around(home, XDG_RUNTIME_DIR=str(home / "user")))
    assert found is not None
    assert found.url == f"unix://{home}/user/docker.sock"


@pytest.mark.parametrize("content", ["", "[]", '{"currentContext": 3}'])
def test_a_strange_configuration_is_no_configuration(home: Path, content: str) -> None:
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text(content)
    assert find_address(around(home)) is None


def test_a_socket_nobody_listens_on(home: Path) -> None:
    path = home / "docker.sock"
    listen(path).close()
    with pytest.raises(PlatformError) as refused:
        connect(EngineAddress(f"unix://{path}", "a test"))
    assert refused.value.code == "docker-unreachable"
    assert refused.value.hint


def test_a_missing_socket(home: Path) -> None:
    with pytest.raises(PlatformError) as refused:
        connect(EngineAddress(f"unix://{home}/none.sock", "DOCKER_HOST"))
    assert refused.value.code == "docker-not-found"
    assert "DOCKER_HOST" in refused.value.message


def program(home: Path, name: str) -> None:
    (home / name).write_text("#!/bin/sh\n")
    (home / name).chmod(0o755)


async def test_a_bare_client_is_no_engine(home: Path) -> None:
    program(home, "docker")
    assert await detect(around(home)) == NotInstalled()


@pytest.mark.parametrize("name", ["dockerd", "podman", "colima"])
async def test_an_engine_that_does_not_run_is_installed(home: Path, name: str) -> None:
    program(home, name)
    found = await detect(around(home))
    assert isinstance(found, Refuses)
    assert found.error.code == "docker-not-found"


async def test_a_named_engine_that_does_not_answer_refuses(home: Path) -> None:
    found = await detect(around(home, DOCKER_HOST=f"unix://{home}/none.sock"))
    assert isinstance(found, Refuses)
    assert found.error.hint


@pytest.mark.docker
async def test_an_engine_that_answers_is_found(api: object) -> None:
    assert isinstance(await detect(surroundings()), Found)
