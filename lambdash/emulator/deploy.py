"""From a function's source to the revision that answers: build, prepare, record, switch."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from lambdash.emulator.driver import Driver
from lambdash.emulator.lifecycle import Lifecycle
from lambdash.emulator.plan import Change, Fingerprints, change_of
from lambdash.engines.protocol import Engine, PullPolicy, SandboxSpec
from lambdash.errors import CallerError
from lambdash.model import (
    ArchiveSource,
    DockerfileSource,
    FolderSource,
    Function,
    ImageSource,
    Package,
    Revision,
    ZipPackage,
)
from lambdash.model.progress import ProgressSink
from lambdash.packaging import Builder, LayerBuilder, PackageStore
from lambdash.packaging.layers import check_bootstrap_in, check_together
from lambdash.storage.functions import DeployedFunction


@dataclass(frozen=True, slots=True)
class Built:
    """A function whose package is stored and whose engine is ready to launch it.

    ``change`` is against what was deployed before. ``_at`` are monotonic seconds.
    """

    deployed: DeployedFunction
    change: Change
    build_ms: float
    packaged_at: float
    prepared_at: float


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """``initialise`` starts one environment ahead; ``pull`` says when a registry may be asked."""

    pull: PullPolicy = PullPolicy.MISSING
    initialise: bool = True


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where packages are built, and where they are kept."""

    builder: Builder
    store: PackageStore


class Deployer:
    """Single-flight per function; whatever fails leaves what was deployed before as it was."""

    def __init__(
        self, workshop: Workshop, engine: Engine, lifecycle: Lifecycle, driver: Driver
    ) -> None:
        self._builder = workshop.builder
        self._store = workshop.store
        self._layers = LayerBuilder(workshop.store)
        self._engine = engine
        self._lifecycle = lifecycle
        self._driver = driver
        self._locks: dict[str, asyncio.Lock] = {}

    @property
    def deployed(self) -> Mapping[str, DeployedFunction]:
        """What answers for each function, by name."""
        return self._lifecycle.registry.deployed

    async def fingerprint(self, function: Function) -> str:
        """What the source is now, cheaply: a walk of its files, read off the loop."""
        return (await self._fingerprints(function)).code

    async def _fingerprints(self, function: Function) -> Fingerprints:
        code = await asyncio.to_thread(self._builder.fingerprint, function)
        if not function.layers:
            return Fingerprints(code)
        return Fingerprints(
            code, await asyncio.to_thread(self._layers.fingerprint, function.layers)
        )

    def is_stored(self, name: str) -> bool:
        """Whether the deployed package is still there; the engine keeps images, not the store."""
        deployed = self.deployed[name]
        if deployed.layers is not None and not self._store.use(deployed.layers):
            return False
        package = deployed.package
        return not isinstance(package, ZipPackage) or self._store.use(package)

    async def change(self, function: Function) -> Change:
        """What deploying the function now would change."""
        now = await self._fingerprints(function)
        return change_of(self.deployed.get(function.name), function, now)

    async def build(
        self, function: Function, options: DeployOptions, progress: ProgressSink
    ) -> Built:
        """Package the function and prepare the engine; nothing is switched yet."""
        begun = time.monotonic()
        now = await self._fingerprints(function)
        change = change_of(self.deployed.get(function.name), function, now)
        package = await self._package(function, options, progress)
        layers = await self._layers.build(function.layers, progress)
        self._check(function, package, layers)
        packaged_at = time.monotonic()
        deployed = DeployedFunction(function, package, now.code, layers, now.layers)
        await self._engine.prepare(self.spec(deployed.revision, options.pull), progress)
        prepared_at = time.monotonic()
        build_ms = (prepared_at - begun) * 1000
        return Built(deployed, change, build_ms, packaged_at, prepared_at)

    async def deploy(
        self, function: Function, options: DeployOptions, progress: ProgressSink
    ) -> Built:
        """Build, record and switch; the old revision's environments drain."""
        async with self._locks.setdefault(function.name, asyncio.Lock()):
            built = await self.build(function, options, progress)
            await self.switch(built.deployed)
            if options.initialise:
                self._driver.initialise(function.name)
            return built

    async def replace(
        self, function: Function, options: DeployOptions, progress: ProgressSink
    ) -> Built:
        """Build, initialise an environment of the new revision, and only then switch.

        Raises what building or initialising raised; the old revision serves on in that case.
        """
        async with self._locks.setdefault(function.name, asyncio.Lock()):
            built = await self.build(function, options, progress)
            old = self.deployed.get(function.name)
            if old is not None and old.revision.id != built.deployed.revision.id:
                await self._driver.stage(built.deployed)
            await self.switch(built.deployed)
            return built

    async def switch(self, deployed: DeployedFunction) -> None:
        """From here on the function is this revision."""
        await self._lifecycle.take_over(deployed)

    async def remove(self, name: str) -> None:
        """Forget a function that the manifest no longer has; its environments stop."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            await self._lifecycle.remove(name)

    async def _package(
        self, function: Function, options: DeployOptions, progress: ProgressSink
    ) -> Package:
        match function.source:
            case FolderSource():
                return await self._builder.build(function, progress)
            case ImageSource(reference):
                return await self._engine.resolve_image(reference, options.pull, progress)
            case DockerfileSource() as source:
                return await self._engine.build_image(function.name, source, progress)
            case ArchiveSource():
                raise AssertionError("a manifest names no uploaded archive")

    def _check(self, function: Function, package: Package, layers: ZipPackage | None) -> None:
        """What code and layers must be together."""
        check_together(function, package, layers)
        if layers is not None and isinstance(package, ZipPackage):
            trees = self._store.tree_path(package), self._store.tree_path(layers)
            check_bootstrap_in(function, *trees)

    def spec(self, revision: Revision, pull: PullPolicy) -> SandboxSpec:
        """What the engine needs to know of a revision. Raises ``CallerError``."""
        return spec_of(self._store, revision, pull)


def spec_of(store: PackageStore, revision: Revision, pull: PullPolicy) -> SandboxSpec:
    """What the engine needs to know. Raises ``CallerError`` when the store lost the package."""
    package, layers = revision.package, revision.layers
    code = store.tree_path(package) if isinstance(package, ZipPackage) else None
    opt = None if layers is None else store.tree_path(layers)
    for path in (code, opt):
        if path is not None and not path.is_dir():
            name = revision.function_name
            raise CallerError(
                "package-missing",
                f"the package of `{name}` is no longer in the store",
                f"`lambdash deploy {name}` builds it again",
            )
    return SandboxSpec(revision, code, pull, opt)
