"""Following an engine's event stream to its end."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import docker.errors

from lambdash.errors import LambdashError
from lambdash.model.progress import Progress, ProgressSink

Feed = Callable[[Mapping[str, Any]], Progress | None]


def follow(events: Iterable[Mapping[str, Any]], feed: Feed, progress: ProgressSink) -> None:
    """Tell ``progress`` what ``feed`` makes of each event; an error it raises ends the work.

    The stream is read to its end even then: its connection goes back to the pool only so.
    """
    rest = iter(events)
    try:
        for event in rest:
            moved = feed(event)
            if moved is not None:
                progress(moved)
    except LambdashError:
        for _ in rest:
            continue
        raise


def release(error: docker.errors.APIError) -> None:
    """Close the refused request's connection: the SDK leaves the answer of a stream open."""
    if error.response is not None:
        error.response.close()
