"""On the warm path nothing is asked of the container engine."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lambdash.engines.docker.address import Surroundings, find_address
from tests.integration.conftest import Begin
from tests.integration.endpoint import Caller
from tests.integration.project import Project, until

pytestmark = pytest.mark.docker

_QUIET_S = 1.0


class CountingProxy:
    """Passes the engine's socket on, and counts the bytes that are asked of it."""

    def __init__(self, path: Path, engine: Path) -> None:
        self.asked_bytes = 0
        self._passed_at = time.monotonic()
        self._unanswered: set[socket.socket] = set()  # connections to the engine
        self._engine = engine
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._begin(self._accept)

    def close(self) -> None:
        for peer in (self._listener, *self._sockets):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()
        for thread in self._threads:
            thread.join()

    def is_quiet(self) -> bool:
        """Whether the engine has answered all, and nobody has said anything for a while."""
        return not self._unanswered and time.monotonic() - self._passed_at > _QUIET_S

    def _begin(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(str(self._engine))
                self._sockets += [client, engine]
                self._begin(self._pass, client, engine, True)
                self._begin(self._pass, engine, client, False)

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if counted:
                    self.asked_bytes += len(data)
                    self._unanswered.add(target)
                else:
                    self._unanswered.discard(source)
                self._passed_at = time.monotonic()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxied(begin: Begin, docker_engine: None) -> Iterator[tuple[Project, CountingProxy]]:
    address = find_address(Surroundings(os.environ, Path.home()))
    if address is None or address.socket_path is None:
        pytest.skip("the engine's socket is not on this machine")
    with begin("docker") as project:
        path = project.root / "engine.sock"
        proxy = CountingProxy(path, address.socket_path)
        project.variables["DOCKER_HOST"] = f"unix://{path}"
        try:
            yield project, proxy
            assert project.run("stop").code == 0
        finally:
            proxy.close()


def test_warm_invokes_ask_nothing_of_the_engine(proxied: tuple[Project, CountingProxy]) -> None:
    project, proxy = proxied
    project.describe({"warm": {"memory_size": 128}})
    project.write({"warm/app.py": "def handler(event, context): return event\n"})
    first = project.invoke("warm", 0)
    assert proxy.asked_bytes > 0, "the daemon uses the proxy"
    until(proxy.is_quiet, "spares have been made")

    before = proxy.asked_bytes
    with Caller(project.ask("status")["endpoint"]) as caller:
        for number in range(45):
            assert caller.invoke("warm", b"%d" % number).document == number
    for number in range(5):
        again = project.invoke("warm", number)
        assert (again["start"], again["environment"]) == ("warm", first["environment"])
    assert proxy.asked_bytes == before
