"""When an environment of a function with ``freeze`` stands still: whenever it has nothing to do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from lambdash.model import Scaling
from lambdash.testing import FakeSandbox
from tests.emulator.conftest import Rig


async def test_it_stands_still_between_invocations_only(
    make_rig: Callable[..., Awaitable[Rig]],
) -> None:
    seen: list[bool] = []

    async def looking(event: Any) -> Any:
        seen.append(only(rig).frozen)
        return event

    rig = await make_rig(lambda: looking)
    await rig.deploy(freeze=True, scaling=Scaling(max_environments=1))
    await asyncio.gather(*(rig.invoke() for _ in range(3)))
    assert seen == [False] * 3
    sandbox = only(rig)
    async with asyncio.timeout(10):
        while not sandbox.frozen:
            await asyncio.sleep(0)
    await rig.invoke()
    assert seen == [False] * 4
    await rig.deploy(code="2", freeze=True)
    async with asyncio.timeout(10):
        while rig.engine.sandboxes:
            await asyncio.sleep(0)
    assert not sandbox.frozen, "what is stopped has to run for it"


async def test_one_initialised_ahead_stands_still(rig: Rig) -> None:
    await rig.deploy("ahead", freeze=True)
    rig.emulator.driver.initialise("ahead")
    async with asyncio.timeout(10):
        while not (rig.engine.sandboxes and only(rig).frozen):
            await asyncio.sleep(0)


async def test_others_run_on(rig: Rig) -> None:
    await rig.invoke()
    async with asyncio.timeout(10):
        while not all(each.flight is None for each in rig.emulator.driver.environments.values()):
            await asyncio.sleep(0)
    assert not only(rig).frozen


def only(rig: Rig) -> FakeSandbox:
    (sandbox,) = rig.engine.sandboxes.values()
    return sandbox
