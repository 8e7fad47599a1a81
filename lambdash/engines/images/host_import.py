"""Handing a from-host image to the engine as one tar stream (what ``docker import`` does)."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import requests

from lambdash.engines.images.host_image import HostIngredients, changes, lay_out
from lambdash.engines.images.layout import Layout, stream
from lambdash.errors import LambdashError, PlatformError
from lambdash.model.progress import Progress, ProgressSink


@dataclass(frozen=True, slots=True)
class HostImport:
    """``client_of`` gives the runtime client's folder, installing it where that is to be done.

    ``replaces`` is the id of the outdated image, removed unless a container still uses it.
    """

    parts: HostIngredients
    client_of: Callable[[str], Path]
    replaces: str | None = None


def import_host_image(api: docker.APIClient, order: HostImport, progress: ProgressSink) -> str:
    """Import under the runtime's host tag and return the image's id. Blocking (2 to 6 s).

    Raises:
        PlatformError: ``host-image-failed``.
    """
    started = time.monotonic()
    parts, replaces = order.parts, order.replaces
    tag = parts.runtime.host_image
    task = f"image {tag}"
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
    if replaces is not None and replaces != digest:
        # in use: it stays, nameless, and goes with its containers
        with suppress(docker.errors.APIError):
            api.remove_image(replaces)
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
