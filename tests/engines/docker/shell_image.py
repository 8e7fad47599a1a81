"""An image with neither Python nor Node: busybox and nothing else, made from this machine."""

import contextlib
import io
import shutil
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from docker.errors import ImageNotFound

from lambdash.engines.protocol import PullPolicy
from lambdash.errors import CallerError
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import ProgressSink

REFERENCE = "lambdash-test/shell:4"


def archive(busybox: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "var", "var/task", "proc", "sys", "dev"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        member = tarfile.TarInfo("bin/busybox")
        member.mode, member.size = 0o755, len(busybox)
        tar.addfile(member, io.BytesIO(busybox))
        for name in (
            "sh",
            "cat",
            "nc",
            "wget",
            "sleep",
            "nslookup",
            "id",
            "printf",
            "dd",
            "env",
            "tail",
            "ls",
            "touch",
        ):
            member = tarfile.TarInfo(f"bin/{name}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
    return target.getvalue()


def make(api: Any) -> str:
    """Import the image unless it is there; its id."""
    with contextlib.suppress(ImageNotFound):
        return str(api.inspect_image(REFERENCE)["Id"])
    busybox = shutil.which("busybox")
    assert busybox, "the Docker tests need a static busybox: apt-get install busybox-static"
    changes = ["ENV PATH=/bin", "ENV FROM_IMAGE=image", "ENV STAGE=image"]
    with open(busybox, "rb") as file:
        data = archive(file.read())
    repository, tag = REFERENCE.split(":")
    api.import_image_from_data(data, repository=repository, tag=tag, changes=changes)
    return str(api.inspect_image(REFERENCE)["Id"])


@dataclass(frozen=True, slots=True)
class Defaults:
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    working_dir: str
    architecture: str


class ShellImages:
    """Images that serve every runtime with the shell image, and never reach a registry."""

    def __init__(self, api: Any, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._api = api
        self._run = run

    async def resolve(
        self, reference: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        image = await self._run(lambda: self._api.inspect_image(reference))
        return ImagePackage(reference, image["Id"])

    async def for_runtime(
        self, runtime: str, architecture: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        return await self.resolve(REFERENCE, pull, progress)

    async def build(
        self, name: str, source: DockerfileSource, progress: ProgressSink
    ) -> ImagePackage:
        raise CallerError("not-here", "these images are not built")

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        raise CallerError("not-here", "these images are not built")

    async def configuration(self, package: ImagePackage) -> Defaults:
        image = await self._run(lambda: self._api.inspect_image(package.digest))
        config = image["Config"]
        return Defaults(
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            env=tuple(tuple(line.split("=", 1)) for line in config.get("Env") or ()),
            working_dir=config.get("WorkingDir") or "",
            architecture=image["Architecture"],
        )
