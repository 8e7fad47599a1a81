"""Memory that large payloads needed goes back to the system once the daemon is at rest."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from lambdash import limits

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def malloc_trim() -> Callable[[int], object] | None:
    """glibc's ``malloc_trim``; None with another C library, which keeps less by itself."""
    try:
        function: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return function


def resident_bytes() -> int:
    """This process's resident memory; 0 where there is no ``/proc``."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


class IdleTrim:
    """Gives freed memory back, once per growth: never while requests come in.

    C's allocator keeps what lies below anything still in use, for ever, unless it is asked.
    """

    __slots__ = ("_floor_bytes", "_resident_bytes", "_trim")

    def __init__(
        self,
        trim: Callable[[int], object] | None,
        resident_bytes: Callable[[], int] = resident_bytes,
    ) -> None:
        self._trim = trim
        self._resident_bytes = resident_bytes
        self._floor_bytes = resident_bytes()

    def at_rest(self) -> None:
        """Nothing was asked for a while: trim if it has grown since the last time."""
        if self._trim is None:
            return
        if self._resident_bytes() - self._floor_bytes > limits.IDLE_GROWTH_MAX_BYTES:
            self._trim(0)
            self._floor_bytes = self._resident_bytes()
