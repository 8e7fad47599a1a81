"""Freed memory goes back at rest, and only when there is some."""

import pytest

from lambdash import limits
from lambdash.daemon.memory import IdleTrim, malloc_trim, resident_bytes

MIB = 1024 * 1024


def test_it_trims_once_for_each_growth() -> None:
    resident = [50 * MIB]
    trimmed: list[int] = []

    def trim(pad: int) -> None:
        trimmed.append(pad)
        resident[0] -= 10 * MIB

    idle = IdleTrim(trim, lambda: resident[0])
    idle.at_rest()
    assert trimmed == []
    resident[0] += limits.IDLE_GROWTH_MAX_BYTES + 1
    idle.at_rest()
    assert trimmed == [0]
    idle.at_rest()
    assert trimmed == [0]
    resident[0] += limits.IDLE_GROWTH_MAX_BYTES + 1
    idle.at_rest()
    assert trimmed == [0, 0]


def test_without_glibc_nothing_is_asked() -> None:
    sizes = iter([0])
    IdleTrim(None, lambda: next(sizes)).at_rest()


def test_what_this_machine_says() -> None:
    trim = malloc_trim()
    if trim is None or not resident_bytes():
        pytest.skip("no glibc, or no /proc")
    assert resident_bytes() > MIB
    assert trim(0) in (0, 1)
