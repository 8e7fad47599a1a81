"""Containers that stand still: by the kernel's freezer, and by the engine's pause."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lambdash.engines.channel import DescriptorChannel
from lambdash.engines.docker import DockerEngine, DockerOptions
from lambdash.engines.docker.pausing import PauseFreezer
from lambdash.engines.docker.sandbox import DockerSandbox
from lambdash.engines.freezer import CgroupFreezer
from tests.engines.contract import EngineCase, Running, launched

pytestmark = pytest.mark.docker


async def frozen(running: Running) -> None:
    """Until the kernel says that nothing in the container runs any more."""
    assert isinstance(running.sandbox, DockerSandbox)
    channel = running.sandbox.channel
    assert isinstance(channel, DescriptorChannel)
    status = Path(f"/proc/{channel.peer_pid}/cgroup").read_text()
    path = next(line.split(":")[2] for line in status.splitlines() if ":freezer:" in line)
    state = Path(f"/sys/fs/cgroup/freezer{path}/freezer.state")
    async with asyncio.timeout(20):
        while state.read_text() != "FROZEN\n":
            await asyncio.sleep(0)


@pytest.fixture
async def running(engine: DockerEngine, case: EngineCase, tmp_path: Path) -> Running:
    if not Path("/sys/fs/cgroup/freezer").is_dir():
        pytest.skip("this machine has no freezer of the first version")
    running = await launched(engine, case.specification(tmp_path / "code", freeze=True))
    await running.daemon.until(lambda: bool(running.daemon.parked))
    return running


@pytest.fixture(params=["kernel", "engine"])
async def still(request: pytest.FixtureRequest, running: Running, engine: DockerEngine) -> Running:
    """Frozen, by either way."""
    sandbox = running.sandbox
    assert isinstance(sandbox, DockerSandbox)
    if request.param == "engine":
        assert engine._parts is not None
        sandbox.freezer = PauseFreezer(engine._parts.connection, engine._tasks, sandbox.container)
    elif not isinstance(sandbox.freezer, CgroupFreezer):
        pytest.skip("this user may not write to the freezer")
    sandbox.freeze()
    await frozen(running)
    return running


async def test_it_runs_on_where_it_stood(still: Running) -> None:
    await still.daemon.send("respond thawed")
    still.sandbox.thaw()
    await still.daemon.until(lambda: still.daemon.responses == [b"thawed"])
    still.sandbox.freeze()
    await frozen(still)


async def test_the_last_word_counts(still: Running) -> None:
    still.sandbox.thaw()
    still.sandbox.freeze()
    still.sandbox.thaw()
    assert await still.daemon.invoke("respond here") == "here"


async def test_what_stands_still_can_be_stopped(still: Running, engine: DockerEngine) -> None:
    async with asyncio.timeout(20):
        await engine.stop(still.sandbox, 0)


async def test_what_a_dead_daemon_froze_is_removed(still: Running, options: DockerOptions) -> None:
    owner = replace(options.owner, daemon="another")
    successor = DockerEngine(replace(options, owner=owner))
    await successor.start()
    async with asyncio.timeout(30):
        await successor.collect()
    assert (await still.daemon.exit()).sandbox_lost
    await successor.close()


async def test_who_did_not_ask_for_it_is_left_running(
    engine: DockerEngine, case: EngineCase, tmp_path: Path
) -> None:
    running = await launched(engine, case.specification(tmp_path / "code"))
    running.sandbox.freeze()
    assert await running.daemon.invoke("respond here") == "here"
