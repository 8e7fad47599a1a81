"""Building a Dockerfile with the engine: steps as progress, failures with their last lines."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import docker
import docker.errors
import requests

from lambdash import limits
from lambdash.engines.images.dockerfile import BuildContext
from lambdash.engines.images.streams import follow, release
from lambdash.errors import CallerError, FunctionError, LambdashError, PlatformError
from lambdash.model.progress import Progress, ProgressSink

CONTEXT_LABEL = "lambdash.context"
# the builder turns each label into a step of its own after the Dockerfile's
_LABELS = ("lambdash", CONTEXT_LABEL)
_NOISE = re.compile(r"^( ---> |Removing intermediate container |Step \d+/\d+ : LABEL lambdash)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STEP = re.compile(r"^Step (\d+)/(\d+) : (.*)$")


@dataclass(slots=True)
class BuildProgress:
    """Follows one build's stream: the step it is at, and the lines since the start, bounded."""

    task: str
    step: str = ""
    at: float = 0.0
    total: float | None = None
    log: deque[str] = field(default_factory=lambda: deque(maxlen=limits.BUILD_LOG_KEPT_LINES))
    _partial: str = ""

    def feed(self, event: Mapping[str, Any]) -> Progress | None:
        """The bar after one event, or None when no step began.

        Raises:
            FunctionError: ``image-build-failed``: an instruction failed.
            PlatformError: ``base-image-unavailable``: it was the base image.
        """
        if "error" in event:
            raise self._failed(str(event["error"]))
        moved = None
        lines = (self._partial + str(event.get("stream") or "")).split("\n")
        self._partial = lines.pop()
        for line in lines:
            moved = self._line(_COLOUR.sub("", line).rstrip()) or moved
        return moved

    def _line(self, line: str) -> Progress | None:
        if line and not _NOISE.match(line):
            self.log.append(line)
        step = _STEP.match(line)
        if step is None or float(step[1]) > float(step[2]) - len(_LABELS):
            return None
        self.at, self.total, self.step = float(step[1]), float(step[2]) - len(_LABELS), step[3]
        return Progress(self.task, self.step, self.at - 1, self.total, "steps")

    def _failed(self, why: str) -> LambdashError:
        if self.step.upper().startswith("FROM"):
            image = self.step.split()[1]
            hint = "pull or load that image first; where no registry can be reached, base it on "
            hint += "one that `lambdash image build RUNTIME --from-host` makes"
            text = f"the base image of step {self.at:.0f} (`{self.step}`) cannot be had: {why}"
            return PlatformError("base-image-unavailable", text, hint if image else "")
        log = [*self.log, self._partial] if self._partial else list(self.log)
        where = (
            f"step {self.at:.0f}/{self.total or 0:.0f} `{self.step}`" if self.step else "the build"
        )
        return FunctionError("image-build-failed", "\n".join([f"{where} failed: {why}", *log]))


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """``platform`` as Docker says it (``linux/arm64``), None for the engine's own."""

    task: str
    tag: str
    platform: str | None


def build(
    api: docker.APIClient,
    context: BuildContext,
    options: BuildOptions,
    progress: ProgressSink,
) -> None:
    """Build and tag. Blocking. The base image is asked of a registry only when it is missing.

    Raises:
        FunctionError, PlatformError: as ``BuildProgress.feed``.
        CallerError: ``image-build-failed``: the engine refused the Dockerfile itself.
        PlatformError: ``image-build-failed``: the engine went away.
    """
    follower = BuildProgress(options.task)
    progress(Progress(options.task, "sending the build context"))
    try:
        with context.archive() as archive:
            stream = api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=context.dockerfile_name,
                tag=options.tag,
                target=context.source.target or "",
                buildargs=dict(context.source.arguments),
                labels=dict(zip(_LABELS, ("1", context.identity), strict=True)),
                platform=options.platform,
                decode=True,
                rm=True,
                forcerm=True,
            )
            follow(stream, follower.feed, progress)
    except docker.errors.APIError as error:
        release(error)
        text = f"the engine refused to build {context.source.dockerfile}: {error.explanation}"
        fault = CallerError if error.is_client_error() else PlatformError
        raise fault("image-build-failed", text) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        text = f"the engine did not finish the build: {error}"
        raise PlatformError("image-build-failed", text, "see `lambdash doctor`") from error
    finally:
        progress(Progress(options.task, finished=True))
