"""Provisioned concurrency, through the driver and the engine in memory."""

import asyncio
from collections.abc import Awaitable, Callable

from lambdash import limits
from lambdash.emulator.deadline import init_max_s
from lambdash.emulator.emulator import Emulator
from lambdash.engines.protocol import SandboxExit
from lambdash.model import Scaling
from lambdash.pool import AccountConcurrency, ProvisionedConcurrency, ProvisionedStatus, StopReason
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]
STATUS = ProvisionedStatus
TWO = Scaling(provisioned_concurrent_executions=2)


async def until(emulator: Emulator, status: ProvisionedStatus) -> ProvisionedConcurrency:
    while (told := emulator.provisioned("hello")) is None or told.status is not status:
        await asyncio.sleep(0)
    return told


async def test_they_are_there_before_the_first_invocation_and_know_what_they_are(
    make_rig: MakeRig,
) -> None:
    rig = await make_rig()
    await rig.deploy(scaling=TWO)
    assert await until(rig.emulator, STATUS.READY) == ProvisionedConcurrency(
        2, 2, 2, STATUS.READY, None
    )
    assert (await rig.invoke()).start == "warm"
    kinds = [
        each.variables["AWS_LAMBDA_INITIALIZATION_TYPE"] for each in rig.engine.sandboxes.values()
    ]
    assert kinds == ["provisioned-concurrency"] * 2
    assert rig.emulator.account == AccountConcurrency(1000, 1000, 2)


async def test_on_demand_ones_know_what_they_are(rig: Rig) -> None:
    await rig.invoke()
    (sandbox,) = rig.engine.sandboxes.values()
    assert sandbox.variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert rig.emulator.provisioned("hello") is None


async def test_an_init_that_dies_is_told_and_fails_nobody(make_rig: MakeRig) -> None:
    rig = await make_rig()
    rig.engine.init_exit = SandboxExit(exit_code=1)
    await rig.deploy(scaling=Scaling(provisioned_concurrent_executions=1))
    told = await until(rig.emulator, STATUS.FAILED)
    assert told.failure is StopReason.INIT_FAILED
    rig.engine.init_exit = None
    assert (await rig.invoke()).start == "cold"
    assert rig.engine.launches == 2


async def test_an_init_past_its_time_is_not_tried_again_at_once(make_rig: MakeRig) -> None:
    rig = await make_rig()
    deploying = asyncio.ensure_future(
        rig.deploy(scaling=Scaling(provisioned_concurrent_executions=1))
    )
    while not rig.emulator.driver.environments:
        await asyncio.sleep(0)
    (environment,) = rig.emulator.driver.environments.values()
    rig.emulator.driver.overdue(environment)  # before its first poll
    await deploying
    told = await until(rig.emulator, STATUS.FAILED)
    assert told.failure is StopReason.TIMED_OUT
    assert rig.engine.resets == 0


async def test_their_init_may_take_longer(make_rig: MakeRig) -> None:
    rig = await make_rig()
    await rig.deploy(scaling=Scaling(provisioned_concurrent_executions=1), timeout_s=900)
    await rig.deploy("other", scaling=Scaling(provisioned_concurrent_executions=1))
    await rig.deploy("third")
    rig.emulator.driver.initialise("third")
    found = {
        each.revision.function_name: each for each in rig.emulator.driver.environments.values()
    }
    times = {name: init_max_s(each.initialization, each.revision) for name, each in found.items()}
    assert times == {
        "hello": 900.0,
        "other": limits.PROVISIONED_INIT_MAX_S,
        "third": limits.INIT_MAX_S,
    }
