"""A short soak of each engine; ``python tests/soak/run.py`` is the long one."""

from pathlib import Path

import pytest

from tests.engines.cases import CASES
from tests.soak.soak import Plan, Tally, soak


async def soaked(engine: str, folder: Path, plan: Plan) -> Tally:
    async with CASES[engine]() as case:
        return await soak(case, folder, plan)


async def test_everybody_is_answered_once_on_the_process_engine(tmp_path: Path) -> None:
    plan = Plan(invocations=300, environments=4, callers=8, kill_every=100)
    tally = await soaked("process", tmp_path, plan)
    assert (tally.answered, tally.kills, tally.left) == (300, 3, [])


@pytest.mark.docker
@pytest.mark.usefixtures("docker_engine")
async def test_everybody_is_answered_once_in_containers(tmp_path: Path) -> None:
    plan = Plan(invocations=80, environments=2, callers=4, kill_every=40)
    tally = await soaked("docker", tmp_path, plan)
    assert (tally.answered, tally.kills, tally.left) == (80, 2, [])
