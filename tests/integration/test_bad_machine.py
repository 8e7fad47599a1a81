"""A machine that cannot: no engine, permission, room or port. Clear errors, then recovery."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.conftest import Begin
from tests.integration.engineless import without_engine
from tests.integration.project import Project
from tests.integration.shell import echo

_MIB = 1024 * 1024


@pytest.fixture
def echoing(plain: Project) -> Project:
    echo(plain, "shell")
    return plain


def test_a_missing_socket_is_an_error_for_whoever_wants_docker(echoing: Project) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    ran = echoing.run("--engine", "docker", "invoke", "shell", "--json", **nowhere)
    assert ran.code == 3
    assert ran.error["code"] == "docker-not-found"
    assert "/nonexistent/docker.sock" in ran.error["message"]
    assert "process" in ran.error["hint"]

    # named but absent: never a silent fall-back
    del echoing.variables["LAMBDASH_ENGINE"]
    ran = echoing.run("invoke", "shell", "--json", **nowhere)
    assert (ran.code, ran.error["code"]) == (3, "docker-not-found")
    assert echoing.run("invoke", "shell", "--engine", "process").stdout == b"{}"


def test_a_machine_with_no_engine_uses_processes_and_says_so(echoing: Project) -> None:
    del echoing.variables["LAMBDASH_ENGINE"]
    prefix = without_engine(echoing)
    ran = echoing.run("invoke", "shell", prefix=prefix)
    assert (ran.code, ran.stdout) == (0, b"{}")
    assert "no container engine is installed" in ran.stderr
    assert echoing.status()["engine"] == "process"
    assert echoing.run("stop").code == 0
    ran = echoing.run("invoke", "shell", "--json", prefix=prefix, CI="1")
    assert (ran.code, ran.error["code"]) == (3, "docker-not-found"), "CI never falls back"


def test_an_engine_without_permission_is_told_apart(echoing: Project) -> None:
    path = echoing.root / "docker.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()
        path.chmod(0)
        prefix: tuple[str, ...] = ()
        if os.geteuid() == 0:
            # root without the capability to ignore permissions is refused like anybody
            os.chown(path, 65534, 65534)
            if shutil.which("setpriv") is None:
                pytest.skip("needs setpriv of util-linux")
            prefix = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
        ran = echoing.run(
            *("--engine", "docker", "invoke", "shell", "--json"),
            prefix=prefix,
            DOCKER_HOST=f"unix://{path}",
        )
    assert ran.code == 3
    assert ran.error["code"] == "docker-permission-denied"
    assert "docker" in ran.error["hint"]


def test_a_port_in_use_is_an_error_only_when_it_was_asked_for(echoing: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = echoing.run("start", "--port", str(port), "--json")
        assert (ran.code, ran.error["code"]) == (3, "port-in-use")
        assert str(port) in ran.error["message"]
        assert ran.error["hint"]
    assert echoing.run("start", "--port", str(port)).code == 0
    assert echoing.status()["endpoint"] == f"http://127.0.0.1:{port}"
    assert echoing.invoke("shell")["payload"] == {}


@contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own at ``folder``; needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def full_store(begin: Begin) -> Iterator[Project]:
    with begin("process") as project, _small_disk(project.root / "small", 2 * _MIB) as store:
        project.variables["LAMBDASH_STORE"] = str(store)
        echo(project, "shell", "large")
        (project.folder / "large" / "ballast").write_bytes(os.urandom(3 * _MIB))
        yield project
        project.run("stop")


def test_a_full_store_refuses_what_does_not_fit_and_serves_the_rest(full_store: Project) -> None:
    assert full_store.invoke("shell")["payload"] == {}
    pid = full_store.status()["pid"]
    ran = full_store.run("invoke", "large", "--json")
    assert (ran.code, ran.error["code"]) == (3, "disk-full")
    assert str(full_store.root / "small") in ran.error["message"] + ran.error["hint"]
    assert full_store.invoke("shell")["start"] == "warm"
    (full_store.folder / "large" / "ballast").write_bytes(b"little")
    assert full_store.invoke("large")["payload"] == {}
    assert full_store.status()["pid"] == pid


@pytest.fixture
def full_state(begin: Begin) -> Iterator[Project]:
    with begin("process") as project, _small_disk(project.folder / ".lambdash", 4 * _MIB):
        echo(project, "shell", "large")
        (project.folder / "large" / "ballast").write_bytes(os.urandom(5 * _MIB))
        yield project
        project.run("stop")


def _fill(ballast: Path) -> None:
    """Write until no byte fits any more."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"0" * 4096):
            continue
    free = os.statvfs(ballast)
    assert free.f_bavail == 0


def test_a_full_state_folder_refuses_and_recovers(full_state: Project) -> None:
    ran = full_state.run("invoke", "large", "--json")
    assert (ran.code, ran.error["code"]) == (3, "disk-full")
    assert full_state.invoke("shell")["payload"] == {}
    ballast = full_state.folder / ".lambdash" / "ballast"
    _fill(ballast)
    pid = full_state.status()["pid"]
    # the journal cannot be written; answers go on
    for _ in range(3):
        assert full_state.invoke("shell")["payload"] == {}
    told = full_state.run("history", "--json")
    assert told.code in (0, 3)
    ballast.unlink()
    after = full_state.invoke("shell")
    assert after["payload"] == {}
    past = full_state.succeed("history")["invocations"]
    assert past[0]["request_id"] == after["request_id"]
    assert full_state.status()["pid"] == pid


def test_a_full_state_folder_at_the_start(full_state: Project) -> None:
    ballast = full_state.folder / ".lambdash" / "ballast"
    _fill(ballast)
    ran = full_state.run("invoke", "shell", "--json")
    assert (ran.code, ran.error["code"]) == (3, "disk-full")
    ballast.unlink()
    assert full_state.invoke("shell")["payload"] == {}
