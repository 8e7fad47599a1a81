"""Which event loop the daemon runs on."""

import asyncio
from collections.abc import Callable
from importlib.util import find_spec


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed (``pip install lambdash[fast]``), else None: Python's own."""
    if find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - optional

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
