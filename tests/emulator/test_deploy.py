"""Deploying over the engine in memory: what fails changes nothing, one at a time, no old code."""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.emulator.deploy import Built, DeployOptions
from lambdash.emulator.registry import Registry
from lambdash.engines.protocol import PullPolicy, SandboxExit
from lambdash.errors import CallerError, FunctionError, PlatformError
from lambdash.model import (
    FolderSource,
    Function,
    FunctionConfiguration,
    InitFailed,
    LayerSource,
    PlatformFailed,
    Succeeded,
    ZipPackage,
)
from lambdash.model.progress import silent
from lambdash.storage.records import RecordStore
from lambdash.testing import FakeEngine, Handler
from tests.emulator.conftest import Rig

MakeRig = Callable[..., Awaitable[Rig]]
QUIET = DeployOptions(initialise=False)


@dataclass
class Project:
    """A function with real source; ``version`` is what its handler answers from then on."""

    rig: Rig
    folder: Path
    function: Function

    def edit(self, version: str) -> None:
        """New code: a changed source, and runtime processes that answer it."""
        bootstrap = self.folder / "bootstrap"
        bootstrap.write_text(version)
        bootstrap.chmod(0o755)
        self.rig.engine.make_handler = lambda: answering(version)

    async def settle(self) -> None:
        """Until the file system's clock has ticked: before, no two fingerprints are equal."""
        async with asyncio.timeout(10):
            deployer = self.rig.emulator.deployer
            while await deployer.fingerprint(self.function) != await deployer.fingerprint(
                self.function
            ):
                await asyncio.sleep(0)

    async def deploy(self) -> Built:
        await self.settle()
        return await self.rig.emulator.deployer.deploy(self.function, QUIET, silent)

    async def replace(self) -> Built:
        deployer = self.rig.emulator.deployer
        return await asyncio.wait_for(deployer.replace(self.function, QUIET, silent), 10)

    async def answer(self) -> Any:
        return (await self.rig.invoke()).outcome

    @property
    def revision(self) -> str:
        return self.rig.emulator.functions["hello"].revision.id


def answering(version: str) -> Handler:
    async def handler(event: Any) -> Any:
        return version

    return handler


@pytest.fixture
async def project(make_rig: MakeRig, tmp_path: Path) -> Project:
    rig = await make_rig()
    folder = tmp_path / "hello"
    folder.mkdir()
    configuration = FunctionConfiguration("hello", "provided.al2023", "bootstrap")
    project = Project(rig, folder, Function(configuration, FolderSource(folder)))
    project.edit("one")
    return project


async def test_deploy_builds_records_and_switches(project: Project, tmp_path: Path) -> None:
    built = await project.deploy()
    assert built.change.action == "create"
    assert await project.answer() == Succeeded(b'"one"')
    await project.rig.emulator.registry.written()
    store = RecordStore(tmp_path / "registry.sqlite")
    again = Registry(store, project.rig.emulator.place, random.Random(1))
    assert again.deployed == project.rig.emulator.functions
    await again.close()
    second = await project.deploy()
    assert second.change.action == "unchanged"
    assert second.deployed.revision.id == built.deployed.revision.id


async def test_who_finds_it_deployed_may_invoke_it(project: Project) -> None:
    await project.settle()
    deployer = project.rig.emulator.deployer
    deploying = asyncio.ensure_future(deployer.deploy(project.function, QUIET, silent))
    while "hello" not in project.rig.emulator.functions:
        await asyncio.sleep(0)
    assert not deploying.done(), "it is not on disk yet"
    assert await project.answer() == Succeeded(b'"one"')
    await deploying


async def test_an_edit_is_another_revision(project: Project) -> None:
    await project.deploy()
    await project.answer()
    project.edit("second")
    built = await project.deploy()
    assert built.change.why == ("code",)
    assert await project.answer() == Succeeded(b'"second"')


async def test_a_changed_layer_is_another_revision(project: Project, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "shared").write_text("one")
    (project.folder / "bootstrap").rename(layer / "bootstrap")
    project.function = replace(project.function, layers=(LayerSource("shared", layer),))
    (project.folder / "other").write_text("a package holds something")
    first = await project.deploy()
    deployer = project.rig.emulator.deployer
    spec = deployer.spec(first.deployed.revision, PullPolicy.MISSING)
    assert spec.layers_path is not None
    assert (spec.layers_path / "shared").read_text() == "one"
    assert await project.answer() == Succeeded(b'"one"')
    async with asyncio.timeout(10):
        while (await deployer.change(project.function)).action != "unchanged":
            await asyncio.sleep(0)
    (layer / "shared").write_text("changed")
    second = await project.deploy()
    assert second.change.why == ("layers",)
    assert second.deployed.revision.id != first.deployed.revision.id
    (layer / "bootstrap").unlink()
    with pytest.raises(CallerError) as raised:
        await project.deploy()
    assert raised.value.code == "bootstrap-missing"
    shutil.rmtree(spec.layers_path)
    with pytest.raises(CallerError) as raised:
        deployer.spec(first.deployed.revision, PullPolicy.MISSING)
    assert raised.value.code == "package-missing"


async def test_an_initialised_deploy_is_ready_ahead(project: Project) -> None:
    await project.rig.emulator.deployer.deploy(project.function, DeployOptions(), silent)
    while not project.rig.emulator.driver.environments:
        await asyncio.sleep(0)
    environment = next(iter(project.rig.emulator.driver.environments.values()))
    async with asyncio.timeout(10):
        while not environment.initialised:
            await asyncio.sleep(0)
    assert (await project.rig.invoke()).start == "warm"


async def test_a_build_that_fails_leaves_what_was(project: Project) -> None:
    await project.deploy()
    before = project.revision
    (project.folder / "bootstrap").unlink()
    (project.folder / "other").write_text("x")
    with pytest.raises(CallerError) as raised:
        await project.deploy()
    assert raised.value.code == "bootstrap-missing"
    assert project.revision == before
    assert await project.answer() == Succeeded(b'"one"')


async def test_replace_takes_over_once_ready(project: Project) -> None:
    await project.deploy()
    first = await project.rig.invoke()
    project.edit("second")
    await project.replace()
    second = await project.rig.invoke()
    assert (second.outcome, second.start) == (Succeeded(b'"second"'), "warm")
    assert second.environment_id != first.environment_id


async def test_replace_keeps_the_last_good_one_when_init_fails(project: Project) -> None:
    await project.deploy()
    before = await project.rig.invoke()
    project.edit("broken")
    project.rig.engine.init_exit = SandboxExit(exit_code=1)
    with pytest.raises(FunctionError) as raised:
        await project.replace()
    assert raised.value.code == "init-failed"
    assert "exit status 1" in raised.value.message
    after = await project.rig.invoke()
    assert (after.outcome, after.start) == (Succeeded(b'"one"'), "warm")
    assert after.environment_id == before.environment_id


async def test_the_last_good_one_can_still_be_launched_when_it_was_at_rest(
    project: Project,
) -> None:
    """Nothing of it lives at the moment of the failed edit, so it must be launched anew."""
    await project.deploy()
    project.edit("broken")
    project.rig.engine.init_exit = SandboxExit(exit_code=1)
    with pytest.raises(FunctionError):
        await project.replace()
    project.rig.engine.init_exit = None
    project.rig.engine.make_handler = lambda: answering("one")
    result = await project.rig.invoke()
    assert (result.outcome, result.start) == (Succeeded(b'"one"'), "cold")


async def test_replace_says_when_the_platform_failed(project: Project) -> None:
    await project.deploy()
    project.edit("second")
    project.rig.engine.launch_error = PlatformError("no-space", "the disk is full", "free some")
    with pytest.raises(PlatformError) as raised:
        await project.replace()
    assert raised.value.code == "no-space"


async def test_a_replacement_that_is_stopped_does_not_wait_for_ever(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project.deploy()
    project.edit("second")
    launched, gate = asyncio.Event(), asyncio.Event()
    launch = FakeEngine.launch

    async def held(*arguments: Any) -> Any:
        launched.set()
        await gate.wait()
        return await launch(*arguments)

    monkeypatch.setattr(FakeEngine, "launch", held)
    replacing = asyncio.ensure_future(project.replace())
    async with asyncio.timeout(10):
        await launched.wait()
        project.rig.emulator.driver.remove("hello")
        gate.set()
        await replacing
    await project.rig.emulator.deployer.remove("hello")


async def test_deploys_of_one_function_wait_for_one_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, peak = 0, 0
    prepare = FakeEngine.prepare

    async def counting(*arguments: Any) -> Any:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1
        return await prepare(*arguments)

    monkeypatch.setattr(FakeEngine, "prepare", counting)
    await asyncio.gather(*(project.deploy() for _ in range(5)))
    assert peak == 1


async def test_remove(project: Project, tmp_path: Path) -> None:
    await project.deploy()
    await project.answer()
    await project.rig.emulator.deployer.remove("hello")
    assert project.rig.emulator.functions == {}
    with pytest.raises(CallerError):
        project.rig.begin()
    store = RecordStore(tmp_path / "registry.sqlite")
    assert list(store.load()) == []
    store.close()
    async with asyncio.timeout(10):
        while project.rig.engine.sandboxes:
            await asyncio.sleep(0)


async def test_a_package_the_store_lost(project: Project) -> None:
    await project.deploy()
    package = project.rig.emulator.functions["hello"].package
    assert isinstance(package, ZipPackage)
    project.rig.store.tree_path(package).rename(project.folder.parent / "gone")
    result = await project.rig.invoke()
    assert isinstance(result.outcome, PlatformFailed)
    assert result.outcome.code == "package-missing"
    assert "`lambdash deploy hello`" in result.outcome.hint


async def test_an_image_is_the_engines_to_find(project: Project) -> None:
    deployer = project.rig.emulator.deployer
    spec = deployer.spec((await project.deploy()).deployed.revision, PullPolicy.NEVER)
    assert (spec.pull, spec.code_path is not None) == (PullPolicy.NEVER, True)


async def test_deploy_switches_although_init_will_fail(project: Project) -> None:
    """As on AWS: an init error is the answer of the first invocation."""
    await project.deploy()
    project.edit("broken")
    project.rig.engine.init_exit = SandboxExit(exit_code=1)
    await project.deploy()
    assert isinstance(await project.answer(), InitFailed)


async def test_changed_settings_are_another_revision(project: Project) -> None:
    await project.deploy()
    before = project.revision
    configuration = replace(project.function.configuration, timeout_s=9)
    project.function = replace(project.function, configuration=configuration)
    assert (await project.deploy()).change.why == ("timeout_s",)
    assert project.revision != before
