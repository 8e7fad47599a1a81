"""Handing a from-host image to the engine as one tar stream (what ``docker import`` does)."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests

from lambdash.engines.images.host_image import IDENTITY_LABEL, HostIngredients, changes, lay_out
from lambdash.engines.images.layout import Layout, stream
from lambdash.errors import LambdashError, PlatformError
from lambdash.model.progress import Progress, ProgressSink


@dataclass(frozen=True, slots=True)
class HostImport:
    """``client_of`` gives the runtime client's folder, installing it where that is to be done.

    ``lock`` is a file that who makes such an image holds: daemons at once make one.
    """

    parts: HostIngredients
    client_of: Callable[[str], Path]
    lock: Path


def import_host_image(api: docker.APIClient, order: HostImport, progress: ProgressSink) -> str:
    """Import under the runtime's host tag and return the image's id. Blocking (2 to 6 s).

    An image that another daemon has made meanwhile is used; an outdated one is removed unless a
    container still uses it.

    Raises:
        PlatformError: ``host-image-failed``.
    """
    try:
        with _alone(order.lock):
            older, identity = _found(api, order.parts.runtime.host_image)
            if older is not None and identity == order.parts.identity:
                return older
            digest = _make(api, order, progress)
    except OSError as error:
        text = f"{order.lock} could not be locked: {error}"
        raise PlatformError("host-image-failed", text) from error
    if older not in (None, digest):
        # in use: it stays, nameless, and goes with its containers
        with suppress(docker.errors.APIError):
            api.remove_image(older)
    return digest


def _found(api: docker.APIClient, tag: str) -> tuple[str | None, str | None]:
    """The id of the image of that name, and the identity it was made with."""
    try:
        image: dict[str, Any] = api.inspect_image(tag)  # type: ignore[no-untyped-call]
    except docker.errors.ImageNotFound:
        return None, None
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise PlatformError("host-image-failed", f"the engine went away: {error}") from error
    return str(image["Id"]), (image["Config"].get("Labels") or {}).get(IDENTITY_LABEL)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(api: docker.APIClient, order: HostImport, progress: ProgressSink) -> str:
    started = time.monotonic()
    parts = order.parts
    task = f"image {parts.runtime.host_image}"
    progress(Progress(task, f"collecting {parts.described}"))
    try:
        has_client = parts.interpreter is not None
        client = order.client_of(parts.runtime.identifier) if has_client else None
        layout = lay_out(parts, client)
        digest = _send(api, parts, _counted(layout, task, progress))
    except LambdashError:
        progress(Progress(task, "failed", finished=True))
        raise
    except OSError as error:
        progress(Progress(task, "failed", finished=True))
        text = f"a file of this machine could not be taken along: {error}"
        raise PlatformError("host-image-failed", text) from error
    seconds = time.monotonic() - started
    progress(Progress(task, f"made from {parts.described} in {seconds:.1f} s", finished=True))
    return digest


def _send(api: docker.APIClient, parts: HostIngredients, body: Iterator[bytes]) -> str:
    repository, _, tag = parts.runtime.host_image.partition(":")
    parameters: dict[str, str | list[str]] = {"fromSrc": "-", "repo": repository, "tag": tag}
    parameters["changes"] = changes(parts.identity)
    try:
        answer = api.post(
            f"{api.base_url}/v{api.api_version}/images/create",
            params=parameters,
            data=body,
            headers={"Content-Type": "application/x-tar"},
        )
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise PlatformError("host-image-failed", f"the engine went away: {error}") from error
    lines = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
    failed = next((str(line["error"]) for line in lines if "error" in line), None)
    if not answer.ok or failed is not None:
        text = f"the engine refused the image: {failed or answer.text}"
        raise PlatformError("host-image-failed", text, "check the engine's free disk space")
    return str(lines[-1]["status"])


def _counted(layout: Layout, task: str, progress: ProgressSink) -> Iterator[bytes]:
    done, total = 0, layout.size_bytes
    for piece in stream(layout):
        done += len(piece)
        yield piece
        progress(Progress(task, "importing", done=float(min(done, total)), total=total, unit="B"))
