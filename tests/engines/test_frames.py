"""Frames from a stranger: cut right, bounded, and refused when they are nonsense."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash import limits
from lambdash.engines import frames
from lambdash.engines.frames import Assignment, FrameReader, FrameType, ProcessLimits
from lambdash.errors import PlatformError

FRAMES = st.lists(
    st.tuples(st.sampled_from(FrameType), st.integers(0, 65535), st.binary(max_size=300)),
    max_size=20,
)


@given(FRAMES, st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_frames_survive_any_cutting(
    sent: list[tuple[FrameType, int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(frames.encode(kind, payload, channel) for kind, channel, payload in sent)
    reader, received, at = FrameReader(), [], 0
    for number in range(len(stream)):
        size = cuts[number % len(cuts)]
        received += reader.feed(stream[at : at + size])
        at += size
        if at >= len(stream):
            break
    assert received == sent


@given(st.binary(max_size=400))
def test_nonsense_is_refused_or_kept_within_bounds(noise: bytes) -> None:
    received = []
    with contextlib.suppress(PlatformError):
        received = list(FrameReader().feed(noise))
    assert sum(8 + len(payload) for _, _, payload in received) <= len(noise)


def test_a_frame_that_is_too_long_is_refused_at_its_head() -> None:
    head = struct.pack("!BxHI", FrameType.DATA, 0, limits.LAUNCHER_FRAME_MAX_BYTES + 1)
    with pytest.raises(PlatformError, match="a frame of type 8"):
        list(FrameReader().feed(head))


@given(st.binary(max_size=60))
def test_payloads_of_the_wrong_size_are_refused(payload: bytes) -> None:
    sizes = {frames.decode_started: 12, frames.decode_exited: 20, frames.decode_number: 4}
    for decode, size in sizes.items():
        if len(payload) != size:
            with pytest.raises(PlatformError):
                decode(payload)


def test_an_assignment_is_what_the_launcher_reads() -> None:
    variables = (("A", "1"), ("_HANDLER", "h"), ("B", "\udcff"))
    assignment = Assignment(("sh", "-c"), variables, "/w", ProcessLimits(9), "/x")
    expected = struct.pack("!IIIHHH", 9, 0, 0xFFFF_FFFF, 2, 3, 1)
    expected += b"/w\0/x\0sh\0-c\0_HANDLER=h\0A=1\0B=\xff\0"
    assert frames.encode_assignment(assignment) == frames.encode(FrameType.ASSIGN, expected)


def test_limits_not_asked_for_are_kept() -> None:
    encoded = frames.encode_assignment(Assignment(("a",), (), "/"))
    assert encoded[8:16] == b"\xff" * 8
