"""The Python runtime that this machine can run without a registry."""

from __future__ import annotations

import sys


def host_runtime() -> str:
    """The runtime identifier of the interpreter the benchmarks run on."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
