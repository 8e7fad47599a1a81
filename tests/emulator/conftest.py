"""An emulator over the engine in memory, with functions that need no build."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.emulator.deploy import Workshop
from lambdash.emulator.emulator import Emulator, EmulatorOptions
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.model import (
    FolderSource,
    Function,
    FunctionConfiguration,
    Scaling,
    ZipPackage,
)
from lambdash.packaging import Builder, PackageStore
from lambdash.storage.functions import DeployedFunction
from lambdash.testing import FakeEngine, Handler


@dataclass
class Rig:
    """One emulator and its engine. ``handler`` is what runtime processes run from now on."""

    emulator: Emulator
    engine: FakeEngine
    store: PackageStore
    pending: list["asyncio.Future[InvocationResult]"] = field(default_factory=list)
    is_closed: bool = False

    async def close(self) -> None:
        """End it; another one over the same folder is what comes after a restart."""
        if not self.is_closed:
            self.is_closed = True
            await self.emulator.close()
            await self.engine.close()
            self.store.close()
            assert self.engine.sandboxes == {}

    async def deploy(
        self, name: str = "hello", code: str = "1", scaling: Scaling | None = None, **settings: Any
    ) -> None:
        deployed = self.package(name, code, scaling, **settings)
        await self.emulator.deployer.switch(deployed)

    def package(
        self, name: str = "hello", code: str = "1", scaling: Scaling | None = None, **settings: Any
    ) -> DeployedFunction:
        configuration = FunctionConfiguration(name, "provided.al2023", "bootstrap")
        function = Function(
            replace(configuration, **settings), FolderSource(Path("/src")), scaling or Scaling()
        )
        package = ZipPackage(code * 8, 1)
        self.store.tree_path(package).mkdir(parents=True, exist_ok=True)
        return DeployedFunction(function, package, code)

    def begin(
        self, name: str = "hello", payload: bytes = b"{}", **options: Any
    ) -> "asyncio.Future[InvocationResult]":
        done: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
        asked = InvocationOptions(request_id=self.emulator.new_request_id(), **options)
        self.emulator.invoke(name, payload, asked, done.set_result)
        return done

    async def invoke(
        self, name: str = "hello", payload: bytes = b"{}", **options: Any
    ) -> InvocationResult:
        return await asyncio.wait_for(self.begin(name, payload, **options), 10)


async def echo(event: Any) -> Any:
    """Answers what it was asked."""
    return event


@pytest.fixture
async def make_rig(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Rig]]]:
    rigs: list[Rig] = []

    async def make(make_handler: Callable[[], Handler] = lambda: echo) -> Rig:
        store = PackageStore(tmp_path / "store")
        engine = FakeEngine(make_handler)
        workshop = Workshop(Builder(store), store)
        emulator = Emulator(engine, workshop, EmulatorOptions(tmp_path))
        rig = Rig(emulator, engine, store)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        await rig.close()


@pytest.fixture
async def rig(make_rig: Callable[..., Awaitable[Rig]]) -> Rig:
    rig = await make_rig()
    await rig.deploy()
    return rig
