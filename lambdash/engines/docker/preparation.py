"""What a revision needs before it can be launched: image, code, files, network; once each."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lambdash.engines import launcher
from lambdash.engines.docker import files, labels, startup
from lambdash.engines.docker.architecture import Architectures
from lambdash.engines.docker.delivery import Delivery
from lambdash.engines.docker.doors import Doors, RelayDoors, SocketDoors, fresh_folder
from lambdash.engines.docker.files import StoredFile
from lambdash.engines.docker.namespaces import Workshop
from lambdash.engines.docker.pause_image import PauseImage
from lambdash.engines.docker.reach import ProbeFolders, Reach, ReachMemory, probe
from lambdash.engines.docker.sandbox import DockerPrepared
from lambdash.engines.docker.specs import (
    LAUNCHER_FOLDER,
    LAUNCHER_NAME,
    LAYERS_ROOT,
    TASK_ROOT,
    Mount,
    NetworkKey,
)
from lambdash.engines.docker.startup import LAYERS_BOOTSTRAP, TASK_BOOTSTRAP, ImageStart, Startup
from lambdash.engines.docker.volumes import VolumeStore
from lambdash.engines.protocol import PullPolicy, SandboxSpec
from lambdash.errors import CallerError
from lambdash.model import DockerfileSource, ImagePackage, Revision, ZipPackage
from lambdash.model.progress import ProgressSink

if TYPE_CHECKING:
    from lambdash.engines.docker.engine import DockerOptions


class ImageDefaults(Protocol):
    """What an image says about itself."""

    @property
    def entrypoint(self) -> tuple[str, ...]: ...
    @property
    def command(self) -> tuple[str, ...]: ...
    @property
    def env(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def working_dir(self) -> str: ...
    @property
    def architecture(self) -> str: ...


class Images(Protocol):
    """The part of ``engines.images.ImageStore`` that the engine uses."""

    async def resolve(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage: ...

    async def for_runtime(
        self, runtime: str, architecture: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage: ...

    async def build(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage: ...

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage: ...

    async def configuration(self, package: ImagePackage) -> ImageDefaults: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What one engine's reach decided: how files get in, and how launchers get out."""

    delivery: Delivery
    doors: Doors


class Preparation:
    """Revisions made ready; a second ``prepare`` of one is a dictionary look-up."""

    def __init__(self, workshop: Workshop, images: Images, options: "DockerOptions") -> None:
        self._shop = workshop
        self._images = images
        self._options = options
        self._pauses = PauseImage(workshop.connection, workshop.tasks)
        self._architectures = Architectures(workshop, self._pauses, options.store)
        self._folders = ProbeFolders(
            options.store, fresh_folder(options.runtime_dir, workshop.owner.project)
        )
        self._memory = ReachMemory(workshop.connection, self._folders)
        self._surveying: asyncio.Task[Site] | None = None
        self._opened: list[Doors] = []
        self._ready: dict[str, DockerPrepared] = {}

    def begin(self) -> None:
        """Survey the engine ahead of the first ``prepare``, while packages are being built."""
        self._survey_once()

    async def doors(self) -> Doors:
        """How launchers of this engine reach the daemon."""
        return (await asyncio.shield(self._survey_once())).doors

    def distrust(self) -> None:
        """The engine refused what was thought to be there: look again at the next ``prepare``."""
        self._memory.forget()
        self._surveying = None
        self._ready.clear()

    async def close(self) -> None:
        """Close what launchers connect to."""
        for doors in self._opened:
            doors.close()
        await asyncio.to_thread(shutil.rmtree, self._folders.runtime, ignore_errors=True)

    async def prepare(self, spec: SandboxSpec, progress: ProgressSink) -> DockerPrepared:
        """Raises ``CallerError`` or ``PlatformError`` with a hint."""
        revision = spec.revision
        if revision.id in self._ready:
            return self._ready[revision.id]
        image = await self._image(spec, progress)
        defaults = await self._images.configuration(image)
        wanted = revision.configuration.architecture
        await self._architectures.check(image.reference, defaults.architecture, wanted)
        start = ImageStart(
            entrypoint=tuple(defaults.entrypoint),
            command=tuple(defaults.command),
            variables=tuple(defaults.env),
            working_directory=defaults.working_dir,
        )
        prepared = DockerPrepared(
            revision=revision,
            image=image.digest,
            startup=_startup(spec, start),
            mounts=tuple(await self._mounts(spec)),
            key=self._key(revision),
            additions=dict(self._options.environment.variables()),
        )
        self._ready[revision.id] = prepared
        return prepared

    async def pause_image(self) -> str:
        """The image of pause containers, imported when the engine does not hold it."""
        stored = await self._launcher()
        return await self._pauses.ensure(stored.path, stored.digest)

    async def _launcher(self) -> StoredFile:
        source = await asyncio.to_thread(launcher.binary, self._architectures.own)
        return await asyncio.to_thread(
            files.keep, source, self._options.store, LAUNCHER_NAME, 0o755
        )

    async def _image(self, spec: SandboxSpec, progress: ProgressSink) -> ImagePackage:
        package, configuration = spec.revision.package, spec.revision.configuration
        if isinstance(package, ImagePackage):
            return package
        if configuration.base_image is not None:
            return await self._images.resolve(configuration.base_image, spec.pull, progress)
        if configuration.runtime is None:
            raise CallerError(
                "runtime-missing",
                f"function `{configuration.function_name}` is a folder of code without a runtime",
                "set `runtime:`, python3.13 for example",
            )
        return await self._images.for_runtime(
            configuration.runtime, configuration.architecture, spec.pull, progress
        )

    async def _mounts(self, spec: SandboxSpec) -> Sequence[Mount]:
        delivery = (await asyncio.shield(self._survey_once())).delivery
        mounts = [await delivery.file(await self._launcher(), LAUNCHER_FOLDER)]
        for index, certificate in enumerate(self._options.environment.certificates):
            target = Path(certificate.target(index))
            kept = await asyncio.to_thread(
                files.keep, certificate.source, self._options.store, target.name, 0o644
            )
            mounts.append(await delivery.file(kept, str(target.parent)))
        if isinstance(spec.revision.package, ZipPackage):
            assert spec.code_path is not None, "a zip package has a tree"
            digest = spec.revision.package.tree_digest
            mounts.append(await delivery.tree(spec.code_path, digest, TASK_ROOT))
        if spec.layers_path is not None:
            assert spec.revision.layers is not None, "the tree of the revision's layers"
            digest = spec.revision.layers.tree_digest
            mounts.append(await delivery.tree(spec.layers_path, digest, LAYERS_ROOT))
        return mounts

    def _survey_once(self) -> asyncio.Task[Site]:
        task = self._surveying
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._shop.tasks.spawn(self._survey(), "survey the engine")
            self._surveying = task
        return task

    async def _survey(self) -> Site:
        shop, image = self._shop, await self.pause_image()
        reach = self._options.reach or await self._ask(image)
        volumes = VolumeStore(
            shop.connection, shop.owner, shop.tasks, labels.store_id(self._options.store)
        )
        doors: Doors = SocketDoors(self._folders.runtime)
        if not reach.same_kernel:
            doors = await RelayDoors.listen(self._options.surroundings.environ)
        self._opened.append(doors)
        return Site(Delivery(reach.bind, volumes, image), doors)

    async def _ask(self, image: str) -> Reach:
        reach = await self._memory.recall()
        if reach is None:
            shop = self._shop
            reach = await probe(shop.connection, shop.owner, image, self._folders)
            self._memory.keep(reach)
        return reach

    def _key(self, revision: Revision) -> NetworkKey:
        configuration = revision.configuration
        network = configuration.network or self._options.network or self._shop.owner.network
        return NetworkKey(network, tuple(sorted(configuration.extra_hosts)))


def _startup(spec: SandboxSpec, image: ImageStart) -> Startup:
    configuration = spec.revision.configuration
    if isinstance(spec.revision.package, ImagePackage):
        return startup.for_image(configuration, image)
    os_only = (configuration.runtime or "").startswith("provided")
    if not os_only:
        return startup.for_zip(configuration, image, bootstrap=None)
    return startup.for_zip(configuration, image, bootstrap=_bootstrap(spec, image))


def _bootstrap(spec: SandboxSpec, image: ImageStart) -> str | None:
    """The code's program, else the layers', else whatever the image starts.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
    """
    assert spec.code_path is not None, "a zip package has a tree"
    if (spec.code_path / "bootstrap").exists():
        return TASK_BOOTSTRAP
    if spec.layers_path is not None and (spec.layers_path / "bootstrap").exists():
        return LAYERS_BOOTSTRAP
    return None if image.entrypoint else TASK_BOOTSTRAP
