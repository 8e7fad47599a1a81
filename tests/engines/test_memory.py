"""Memory as the launcher knows it: by both versions of cgroups, and watched where there is none."""

import os
from pathlib import Path

import pytest

from lambdash.engines.channel import Assignment, ProcessLimits
from tests.engines.launching import Launched, by_descriptors

# recorded in containers of a machine with each version; this one can mount only the first
FIRST = {
    "memory/memory.max_usage_in_bytes": "73400320\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
}
SECOND = {
    "memory.peak": "73400320\n",
    "memory.events": "low 0\nhigh 0\nmax 41\noom 0\noom_kill 0\noom_group_kill 0\n",
}
KILLED = {"memory/memory.oom_control": "oom_kill 1\n", "memory.events": "oom 1\noom_kill 1\n"}


@pytest.mark.parametrize("recorded", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize("killed", [True, False])
async def test_both_versions_of_cgroups(
    tmp_path: Path, recorded: dict[str, str], killed: bool
) -> None:
    for name, content in recorded.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    unshare = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount", "--mount-proc")
    over = ("sh", "-c", 'mount --bind "$0" /sys/fs/cgroup && exec "$@"', str(tmp_path))
    if os.spawnlp(os.P_WAIT, "unshare", *unshare, *over, "true") != 0:
        pytest.skip("this kernel gives users no namespaces of their own")
    async with by_descriptors((*unshare, *over)) as launched:
        await launched.shell("until test -e $HERE/now; do sleep 0.01; done", HERE=str(tmp_path))
        assert launched.channel.memory_peak_bytes() == 73_400_320
        for name in recorded.keys() & KILLED.keys() if killed else ():
            (tmp_path / name).write_text(KILLED[name])
        (tmp_path / "now").touch()
        ended = await launched.observer.exit()
    assert ended.max_memory_bytes == 73_400_320
    assert ended.out_of_memory is killed


async def run(launched: Launched, script: str, memory_mb: int) -> None:
    variables = (("PATH", os.environ["PATH"]),)
    limits = ProcessLimits(memory_mb=memory_mb)
    assignment = Assignment(("python3", "-S", "-c", script), variables, "/", limits)
    await launched.channel.assign(assignment, launched.observer)


@pytest.mark.parametrize(
    "script",
    [
        "held = b'x' * 200_000_000; import time; time.sleep(100)",
        "import os, time\nif not os.fork(): held = b'x' * 200_000_000\ntime.sleep(100)",
    ],
    ids=["its own", "a child's"],
)
async def test_memory_is_watched_where_nothing_limits_it(script: str) -> None:
    async with by_descriptors() as launched:
        await run(launched, script, 128)
        ended = await launched.observer.exit()
        assert ended.out_of_memory
        assert ended.signal == 9
        await run_again(launched)


async def run_again(launched: Launched) -> None:
    """The next life begins with a clean slate."""
    before = len(launched.observer.exits)
    await launched.channel.reset()
    await launched.observer.until(lambda: len(launched.observer.exits) > before)
    assert launched.observer.exits[-1].out_of_memory


async def test_who_keeps_within_it_is_left_alone() -> None:
    async with by_descriptors() as launched:
        await run(launched, "held = b'x' * 30_000_000; import time; time.sleep(0.5)", 128)
        ended = await launched.observer.exit()
        assert (ended.exit_code, ended.out_of_memory) == (0, False)
