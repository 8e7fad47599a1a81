"""Pull streams, recorded from an engine (API 1.41), decoded into one bar; failures remembered."""

from datetime import datetime

import pytest

from lambdash import limits
from lambdash.engines.images.pull import FailedPulls, PullProgress
from lambdash.errors import PlatformError
from lambdash.model.progress import Progress

RECORDED = [
    {"status": "Pulling from lambda/python", "id": "3.13"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "aaaa"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "bbbb"},
    {"status": "Downloading", "progressDetail": {"current": 100, "total": 1000}, "id": "aaaa"},
    {"status": "Downloading", "progressDetail": {"current": 50, "total": 500}, "id": "bbbb"},
    {"status": "Verifying Checksum", "progressDetail": {}, "id": "bbbb"},
    {"status": "Download complete", "progressDetail": {}, "id": "bbbb"},
    {"status": "Downloading", "progressDetail": {"current": 900, "total": 1000}, "id": "aaaa"},
    {"status": "Download complete", "progressDetail": {}, "id": "aaaa"},
    {"status": "Extracting", "progressDetail": {"current": 10, "total": 1000}, "id": "aaaa"},
    {"status": "Pull complete", "progressDetail": {}, "id": "aaaa"},
    {"status": "Digest: sha256:1234"},
    {"status": "Status: Downloaded newer image for public.ecr.aws/lambda/python:3.13"},
]


def test_layers_sum_into_one_bar() -> None:
    follower = PullProgress("pull x", "x")
    bars = [bar for event in RECORDED if (bar := follower.feed(event)) is not None]
    assert [(bar.done, bar.total) for bar in bars] == [
        (100, 1000),
        (150, 1500),
        (600, 1500),
        (1400, 1500),
        (1500, 1500),
        (1500, 1500),
        (1500, 1500),
    ]
    assert bars[0] == Progress("pull x", "downloading", 100, 1000, "B")
    assert bars[-2].text == "extracting"


def test_a_layer_of_unknown_size_never_passes_its_total() -> None:
    follower = PullProgress("pull x", "x")
    bar = follower.feed({"status": "Downloading", "id": "a", "progressDetail": {"current": 7}})
    assert bar is not None
    assert (bar.done, bar.total) == (7, 7)


def test_an_error_in_the_stream_is_raised() -> None:
    with pytest.raises(PlatformError) as caught:
        PullProgress("pull x", "x").feed({"error": "toomanyrequests"})
    assert caught.value.code == "image-pull-failed"
    assert "toomanyrequests" in caught.value.message


class Ticking:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        raise NotImplementedError


def test_a_failed_pull_is_remembered_for_a_while() -> None:
    clock = Ticking()
    failures = FailedPulls(clock)
    error = PlatformError("image-pull-failed", "no network")
    failures.remember("a:1", error)
    assert failures.lately("a:1") is error
    assert failures.lately("b:1") is None
    clock.now += limits.FAILED_PULL_REMEMBERED_S + 1
    assert failures.lately("a:1") is None


def test_a_pull_that_worked_is_forgotten_and_the_memory_is_bounded() -> None:
    failures = FailedPulls(Ticking())
    error = PlatformError("image-pull-failed", "no network")
    for number in range(limits.FAILED_PULLS_REMEMBERED + 1):
        failures.remember(f"image:{number}", error)
    assert failures.lately("image:0") is None
    assert failures.lately("image:1") is error
    failures.forget("image:1")
    assert failures.lately("image:1") is None
