"""Pulling an image: the engine's event stream as one bar, and failures remembered for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import docker
import docker.errors
import requests
from docker.utils import parse_repository_tag

from lambdash import limits
from lambdash.clock import Clock
from lambdash.engines.images.streams import follow, release
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.model.progress import Progress, ProgressSink

_SETTLED = ("Download complete", "Pull complete", "Already exists")


@dataclass(slots=True)
class PullProgress:
    """Layers' byte counts summed into one bar. ``total`` grows as the engine learns of layers."""

    task: str
    reference: str
    _done: dict[str, float] = field(default_factory=dict)
    _total: dict[str, float] = field(default_factory=dict)

    def feed(self, event: Mapping[str, Any]) -> Progress | None:
        """The bar after one event of the stream, or None when the event moves nothing.

        Raises:
            PlatformError: ``image-pull-failed``, when the event says so.
        """
        if "error" in event:
            raise _failed(self.reference, str(event["error"]))
        layer, status = event.get("id"), event.get("status", "")
        if not isinstance(layer, str):
            return None
        if status == "Downloading":
            detail = event.get("progressDetail") or {}
            self._done[layer] = float(detail.get("current") or 0)
            self._total[layer] = max(float(detail.get("total") or 0), self._done[layer])
        elif status in _SETTLED and layer in self._total:
            self._done[layer] = self._total[layer]
        elif status != "Extracting":
            return None
        text = "extracting" if status == "Extracting" else "downloading"
        done, total = sum(self._done.values()), sum(self._total.values())
        return Progress(self.task, text, done=done, total=total or None, unit="B")


@dataclass(slots=True)
class FailedPulls:
    """What lately could not be pulled, so that work without a network does not wait each time.

    Kept in memory alone, ``limits.FAILED_PULLS_REMEMBERED`` references for
    ``limits.FAILED_PULL_REMEMBERED_S``; the policy *always* asks again regardless.
    """

    clock: Clock
    _failures: dict[str, tuple[float, LambdashError]] = field(default_factory=dict)

    def remember(self, reference: str, error: LambdashError) -> None:
        self._failures.pop(reference, None)
        while len(self._failures) >= limits.FAILED_PULLS_REMEMBERED:
            self._failures.pop(next(iter(self._failures)))
        self._failures[reference] = (self.clock.monotonic(), error)

    def forget(self, reference: str) -> None:
        self._failures.pop(reference, None)

    def lately(self, reference: str) -> LambdashError | None:
        at, error = self._failures.get(reference, (0.0, None))
        if error is None or self.clock.monotonic() - at > limits.FAILED_PULL_REMEMBERED_S:
            return None
        return error


def pull(
    api: docker.APIClient, reference: str, platform: str | None, progress: ProgressSink
) -> None:
    """Pull one image, its bar told to ``progress``. Blocking.

    Raises:
        CallerError: ``image-not-found``, when the registry has no such image for us.
        PlatformError: ``image-pull-failed``.
    """
    repository, tag = parse_repository_tag(reference)
    task = f"pull {reference}"
    progress(Progress(task, "asking the registry"))
    outcome = "not available"
    try:
        stream = api.pull(
            repository, tag=tag or "latest", stream=True, decode=True, platform=platform
        )
        follow(stream, PullProgress(task, reference).feed, progress)
        outcome = "pulled"
    except docker.errors.NotFound as error:
        release(error)
        hint = "check the name and the tag; a private image needs `docker login` first"
        text = f"`{reference}` was not found in its registry: {error.explanation}"
        raise CallerError("image-not-found", text, hint) from error
    except docker.errors.APIError as error:
        release(error)
        raise _failed(reference, str(error.explanation or error)) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise _failed(reference, str(error)) from error
    finally:
        progress(Progress(task, outcome, finished=True))


def _failed(reference: str, why: str) -> PlatformError:
    hint = "check the network, or `docker login` where the registry asks for it"
    return PlatformError("image-pull-failed", f"could not pull `{reference}`: {why}", hint)
