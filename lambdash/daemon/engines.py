"""Which engine this daemon uses, and how it is built.

``--engine``, else ``LAMBDASH_ENGINE``, else the manifest's ``engine:``, else docker where an engine
is installed, else process. An engine that is there but refuses is an error, never a fall-back; so
is a missing one in CI, where a silent change of engine would change what the tests mean.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lambdash.engines.docker.address import Surroundings
from lambdash.engines.images.client_tree import UvOptions, runtime_client_tree, runtime_command
from lambdash.engines.process import ProcessEngine, ProcessFolders, RuntimeClients
from lambdash.engines.protocol import Engine
from lambdash.errors import CallerError, PlatformError
from lambdash.model.project import Project
from lambdash.packaging.pip_configuration import translate

DOCKER, PROCESS = "docker", "process"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine's name, and a line for the user when it was not their own choice."""

    name: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class EnginePlaces:
    """Whose engine it is, where packages and runtime clients are kept, the manifest's network."""

    project: Project
    cache: Path
    network: str | None


async def choose(
    asked: str | None, configured: str | None, environ: Mapping[str, str]
) -> EngineChoice:
    """Raises ``CallerError`` for an unknown name, ``PlatformError`` when nothing may be used."""
    named = asked or environ.get("LAMBDASH_ENGINE") or configured
    if named is not None:
        if named not in (DOCKER, PROCESS):
            hint = "engines are `docker` and `process`"
            raise CallerError("engine-unknown", f"there is no engine `{named}`", hint)
        return EngineChoice(named)
    from lambdash.engines.docker import detection  # noqa: PLC0415 - the SDK costs 0.2 s

    match await detection.detect(_surroundings(environ)):
        case detection.NotInstalled():
            return _without_docker(environ)
        case detection.Refuses(error):
            raise error
        case _:
            return EngineChoice(DOCKER)


def build(choice: EngineChoice, places: EnginePlaces, environ: Mapping[str, str]) -> Engine:
    """The engine, not started yet."""
    pip = translate(environ, places.project.manifest.parent)
    uv = UvOptions(arguments=pip.arguments, variables=tuple(pip.variables.items()))
    if choice.name == PROCESS:
        clients = RuntimeClients(
            tree=partial(runtime_client_tree, cache_dir=places.cache, uv_options=uv),
            command=runtime_command,
        )
        folders = ProcessFolders(places.project.state_dir / "process", places.project.runtime_dir)
        return ProcessEngine(folders, clients)
    return _docker(places, environ, uv)


def _docker(places: EnginePlaces, environ: Mapping[str, str], uv: UvOptions) -> Engine:
    """Imports the SDK, which no other engine needs."""
    from lambdash.engines.docker import engine  # noqa: PLC0415
    from lambdash.engines.docker.environment import EngineEnvironment  # noqa: PLC0415
    from lambdash.engines.docker.labels import Owner  # noqa: PLC0415
    from lambdash.engines.images import ImageStore, ImageStoreOptions  # noqa: PLC0415

    options = ImageStoreOptions(cache_dir=places.cache, uv=uv)
    return engine.DockerEngine(
        engine.DockerOptions(
            owner=Owner(places.project.id, f"{os.getpid()}-{secrets.token_hex(4)}"),
            runtime_dir=places.project.runtime_dir,
            store=places.cache,
            surroundings=_surroundings(environ),
            images=lambda api, run: ImageStore(api, run, options),
            environment=EngineEnvironment.from_environ(environ),
            network=places.network,
        )
    )


def _surroundings(environ: Mapping[str, str]) -> Surroundings:
    return Surroundings(environ=environ, home=Path(environ.get("HOME") or Path.home()))


def _without_docker(environ: Mapping[str, str]) -> EngineChoice:
    if environ.get("CI"):
        raise PlatformError(
            "docker-not-found",
            "no Docker engine is installed on this machine, and CI is set",
            "start one, or choose `--engine process` (it isolates nothing)",
        )
    return EngineChoice(
        PROCESS,
        "no container engine is installed: functions run as plain processes, without isolation"
        " (--engine docker, once there is one)",
    )
