"""The event stream: what is read from it, and what its loss costs (nothing)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions
from lambdash.engines.docker.address import find_address
from lambdash.engines.docker.events import ContainerEvent, parse_event
from lambdash.engines.protocol import SandboxSpec
from tests.engines.contract import EngineCase, launched
from tests.engines.docker.case import surroundings


def test_an_event_is_its_container_environment_and_exit_code() -> None:
    raw = {
        "Action": "die",
        "Actor": {"ID": "c1", "Attributes": {"exitCode": "137", "lambdash.environment": "e1"}},
    }
    assert parse_event(raw) == ContainerEvent("die", "c1", "e1", 137)
    assert parse_event({"Action": "oom", "Actor": {"ID": "c1"}}) == ContainerEvent("oom", "c1", "")


class Proxy:
    """A socket in front of the engine's, that can be cut and mended."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._open = True
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, far_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    def cut(self) -> None:
        self._open = False
        for writer in self._writers:
            writer.close()

    def mend(self) -> None:
        self._open = True


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def proxy(options: DockerOptions) -> AsyncIterator[tuple[Proxy, Path]]:
    address = find_address(surroundings())
    assert address is not None
    if address.socket_path is None:
        pytest.skip("the engine is not reached by a unix socket")
    proxy, path = Proxy(str(address.socket_path)), options.store.parent / "proxy.sock"
    server = await asyncio.start_unix_server(proxy.serve, path)
    yield proxy, path
    server.close()


@pytest.mark.docker
async def test_a_death_during_an_outage_is_noticed_afterwards(
    options: DockerOptions, proxy: tuple[Proxy, Path], case: EngineCase, tmp_path: Path, api: Any
) -> None:
    line, path = proxy
    environ = {"DOCKER_HOST": f"unix://{path}"}
    through = replace(options, surroundings=replace(options.surroundings, environ=environ))
    engine = DockerEngine(through)
    await engine.start()
    spec: SandboxSpec = case.specification(tmp_path / "code")
    first, second = await launched(engine, spec, "e1"), await launched(engine, spec, "e2")
    await engine.settled()
    line.cut()
    first.sandbox.channel._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.to_thread(api.remove_container, first.sandbox.id, force=True)
    assert first.daemon.exits == []
    line.mend()
    assert (await first.daemon.exit()).sandbox_lost
    assert await second.daemon.invoke("respond alive") == "alive"
    await engine.close()
