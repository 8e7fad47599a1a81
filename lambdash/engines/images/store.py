"""Where images come from: the engine's own, a registry, a Dockerfile, or this machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import docker
import docker.errors
import requests

from lambdash import limits
from lambdash.clock import Clock, SystemClock
from lambdash.engines.images.build import CONTEXT_LABEL, BuildOptions, build
from lambdash.engines.images.client_tree import (
    UvOptions,
    default_cache_dir,
    runtime_client_tree,
)
from lambdash.engines.images.dockerfile import read_context
from lambdash.engines.images.host_image import (
    IDENTITY_LABEL,
    HostIngredients,
    can_be_made,
    ingredients,
    machine_architecture,
)
from lambdash.engines.images.host_import import HostImport, import_host_image
from lambdash.engines.images.pull import FailedPulls, pull
from lambdash.engines.images.table import Runtime, runtime_named
from lambdash.engines.protocol import PullPolicy
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import Progress, ProgressSink

T = TypeVar("T")
_DOCKER_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
_AWS_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


class RunBlocking(Protocol):
    """Runs a blocking call in the executor that bounds the engine's calls."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class ImageDefaults:
    """What an image says about starting it; ``architecture`` in AWS's words."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    working_dir: str
    user: str
    architecture: str


@dataclass(frozen=True, slots=True)
class ImageStoreOptions:
    """``uv`` is the user's index configuration, for the runtime client of from-host images."""

    cache_dir: Path = field(default_factory=default_cache_dir)
    uv: UvOptions = field(default_factory=UvOptions)
    clock: Clock = field(default_factory=SystemClock)


class ImageStore:
    """Images of one engine. Calls run in ``run``'s executor; progress is told on the event loop.

    Two callers that want the same image at once share one pull or build.
    """

    def __init__(
        self,
        api: docker.APIClient,
        run: RunBlocking,
        options: ImageStoreOptions | None = None,
    ) -> None:
        self._api = api
        self._run = run
        self._options = options or ImageStoreOptions()
        self._failed_pulls = FailedPulls(self._options.clock)
        self._defaults: dict[str, ImageDefaults] = {}
        # each lives as long as somebody holds or awaits it
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def resolve(
        self,
        reference: str,
        pull: PullPolicy,
        progress: ProgressSink,
        architecture: str | None = None,
    ) -> ImagePackage:
        """The image a reference means now; ``architecture`` (AWS's word) is checked when given.

        Raises:
            CallerError: ``image-not-found``, ``image-wrong-architecture``.
            PlatformError: ``image-pull-failed``, ``engine-failed``.
        """
        async with self._alone(reference):
            if pull is not PullPolicy.ALWAYS:
                found = await self._inspect(reference)
                if found is not None:
                    return _checked(reference, found, architecture)
            if pull is PullPolicy.NEVER:
                raise CallerError(
                    "image-not-found",
                    f"the engine has no image `{reference}`, and pulling is switched off",
                    f"load it, or allow pulling (`--pull missing`), or `docker pull {reference}`",
                )
            await self._pull(reference, pull, progress, architecture)
            found = await self._inspect(reference)
        if found is None:
            text = f"`{reference}` was pulled, yet the engine does not have it"
            raise PlatformError("image-pull-failed", text, "try again")
        return _checked(reference, found, architecture)

    async def for_runtime(
        self, runtime: str, architecture: str, pull: PullPolicy, progress: ProgressSink
    ) -> ImagePackage:
        """A base image for a zip package: official here, else pulled, else made from this machine.

        Raises:
            CallerError: ``runtime-unknown``.
            PlatformError: ``base-image-unavailable``, with everything that was tried.
        """
        wanted = runtime_named(runtime)
        if pull is PullPolicy.ALWAYS:
            return await self.resolve(wanted.image, pull, progress, architecture)
        for reference in (wanted.image, f"{wanted.image}-{architecture}"):
            found = await self._inspect(reference)
            if found is not None and _architecture(found) == architecture:
                return ImagePackage(reference, str(found["Id"]))
        tried = [f"no official image `{wanted.image}` is in the engine"]
        if pull is PullPolicy.NEVER:
            tried.append("pulling is switched off")
        else:
            try:
                return await self._pull_official(wanted, architecture, progress)
            except LambdashError as error:
                tried.append(error.message)
        return await self._host_instead(wanted, architecture, tried, progress)

    async def build(
        self,
        name: str,
        source: DockerfileSource,
        progress: ProgressSink,
        architecture: str | None = None,
    ) -> ImagePackage:
        """Build a Dockerfile for function ``name``, or find that exactly it was built before.

        The image is ``lambdash/build-<name>:<identity>``; the identity covers the Dockerfile, the
        context, target and arguments, and not the base image: `docker pull` of a newer base does
        not build again by itself.
        """
        wanted = architecture or _AWS_ARCHITECTURES.get(await self._engine_architecture(), "")
        context = await self._run(lambda: read_context(source, wanted))
        tag = f"lambdash/build-{name.lower()}:{context.identity[:12]}"
        async with self._alone(tag):
            found = await self._inspect(tag)
            if found is None or _labels(found).get(CONTEXT_LABEL) != context.identity:
                sink = _on_loop(progress)
                native = architecture is None or architecture == machine_architecture()
                platform = None if native else _docker_platform(wanted)
                options = BuildOptions(f"{name}: image", tag, platform)
                await self._run(lambda: build(self._api, context, options, sink))
                found = await self._inspect(tag)
        if found is None:
            raise PlatformError(
                "image-build-failed", f"`{tag}` was built, yet is not there", "retry"
            )
        return _checked(tag, found, architecture)

    async def build_from_host(
        self, runtime: str, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        """An image of this machine's own interpreter, made anew only when that has changed.

        Raises:
            CallerError: ``runtime-unknown``.
            PlatformError: ``interpreter-missing``, ``host-image-failed``,
                ``runtime-client-failed``.
        """
        wanted = runtime_named(runtime)
        async with self._alone(wanted.host_image):
            parts = await self._run(lambda: ingredients(wanted, architecture))
            found = await self._inspect(wanted.host_image)
            if found is not None and _labels(found).get(IDENTITY_LABEL) == parts.identity:
                return ImagePackage(wanted.host_image, str(found["Id"]))
            return await self._import(parts, progress)

    async def configuration(self, package: ImagePackage) -> ImageDefaults:
        """What the image says about starting it; asked of the engine once per digest.

        Raises:
            CallerError: ``image-not-found`` when it was removed meanwhile.
        """
        known = self._defaults.get(package.digest)
        if known is not None:
            return known
        found = await self._inspect(package.digest)
        if found is None:
            text = f"the engine no longer has `{package.reference}` ({package.digest[:19]})"
            raise CallerError("image-not-found", text, "deploy the function again")
        while len(self._defaults) >= limits.IMAGE_DEFAULTS_REMEMBERED:
            self._defaults.pop(next(iter(self._defaults)))
        self._defaults[package.digest] = _defaults(found)
        return self._defaults[package.digest]

    async def _pull_official(
        self, wanted: Runtime, architecture: str, progress: ProgressSink
    ) -> ImagePackage:
        native = architecture == machine_architecture()
        reference = wanted.image if native else f"{wanted.image}-{architecture}"
        return await self.resolve(reference, PullPolicy.MISSING, progress, architecture)

    async def _host_instead(
        self, wanted: Runtime, architecture: str, tried: list[str], progress: ProgressSink
    ) -> ImagePackage:
        refusal = await self._run(lambda: can_be_made(wanted, architecture))
        if refusal is not None:
            text = f"no base image for {wanted.identifier}: {'; '.join([*tried, refusal.message])}"
            hint = f"`docker pull {wanted.image}` where there is a network; or {refusal.hint}"
            raise PlatformError("base-image-unavailable", text, hint)
        return await self.build_from_host(wanted.identifier, architecture, progress)

    async def _pull(
        self,
        reference: str,
        policy: PullPolicy,
        progress: ProgressSink,
        architecture: str | None,
    ) -> None:
        lately = self._failed_pulls.lately(reference)
        if lately is not None and policy is not PullPolicy.ALWAYS:
            raise type(lately)(lately.code, lately.message, lately.hint)
        sink = _on_loop(progress)
        platform = None if architecture is None else _docker_platform(architecture)
        try:
            await self._run(lambda: pull(self._api, reference, platform, sink))
        except LambdashError as error:
            self._failed_pulls.remember(reference, error)
            raise
        self._failed_pulls.forget(reference)

    async def _import(self, parts: HostIngredients, progress: ProgressSink) -> ImagePackage:
        sink = _on_loop(progress)
        order = HostImport(parts, self._client_of, self._options.cache_dir / "images.lock")
        digest = await self._run(lambda: import_host_image(self._api, order, sink))
        return ImagePackage(parts.runtime.host_image, digest)

    def _client_of(self, runtime: str) -> Path:
        return runtime_client_tree(runtime, self._options.cache_dir, self._options.uv)

    async def _inspect(self, reference: str) -> dict[str, Any] | None:
        def inspect() -> dict[str, Any] | None:
            try:
                found: dict[str, Any] = self._api.inspect_image(reference)  # type: ignore[no-untyped-call]
            except docker.errors.ImageNotFound:
                return None
            except docker.errors.APIError as error:
                text = f"`{reference}`: {error.explanation}"
                if error.is_client_error():
                    raise CallerError("image-reference-invalid", text) from error
                raise PlatformError("engine-failed", text) from error
            except requests.RequestException as error:
                raise PlatformError("engine-failed", f"the engine went away: {error}") from error
            return found

        return await self._run(inspect)

    async def _engine_architecture(self) -> str:
        version: dict[str, Any] = await self._run(self._api.version)
        return str(version.get("Arch", ""))

    def _alone(self, reference: str) -> asyncio.Lock:
        return self._locks.setdefault(reference, asyncio.Lock())


def _checked(reference: str, found: dict[str, Any], architecture: str | None) -> ImagePackage:
    actual = _architecture(found)
    if architecture is not None and actual != architecture:
        raise CallerError(
            "image-wrong-architecture",
            f"`{reference}` is an image for {actual}, the function wants {architecture}",
            f"set `architecture: {actual}`, or pull the image for {_docker_platform(architecture)}",
        )
    return ImagePackage(reference, str(found["Id"]))


def _architecture(found: dict[str, Any]) -> str:
    actual = str(found.get("Architecture", ""))
    return _AWS_ARCHITECTURES.get(actual, actual)


def _docker_platform(architecture: str) -> str:
    return f"linux/{_DOCKER_ARCHITECTURES.get(architecture, architecture)}"


def _labels(found: dict[str, Any]) -> dict[str, str]:
    return (found.get("Config") or {}).get("Labels") or {}


def _defaults(found: dict[str, Any]) -> ImageDefaults:
    config = found.get("Config") or {}
    pairs = (entry.partition("=") for entry in config.get("Env") or [])
    return ImageDefaults(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        env=tuple((name, value) for name, _, value in pairs),
        working_dir=config.get("WorkingDir") or "",
        user=config.get("User") or "",
        architecture=_architecture(found),
    )


def _on_loop(progress: ProgressSink) -> ProgressSink:
    """A sink for threads: bars at most every ``limits.PROGRESS_INTERVAL_S``, the rest always."""
    loop = asyncio.get_running_loop()
    last = 0.0

    def tell(step: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        is_byte_count = step.unit == "B" and not step.finished
        if is_byte_count and now - last < limits.PROGRESS_INTERVAL_S:
            return
        last = now
        loop.call_soon_threadsafe(progress, step)

    return tell
