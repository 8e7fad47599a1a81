"""The conversations of the other tests on the loop that the daemon takes where it is installed."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from lambdash.daemon.loop import fastest_loop
from tests.http import test_answers, test_bounds, test_budget, test_uploads

Conversation: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
pytest.importorskip("uvloop")


def conversations() -> list[Conversation]:
    """Every test of the modules that asks for nothing."""
    return [
        test
        for module in (test_answers, test_bounds, test_budget, test_uploads)
        for name, test in vars(module).items()
        if name.startswith("test_") and inspect.iscoroutinefunction(test)
        if not inspect.signature(test).parameters
    ]


@pytest.mark.parametrize("conversation", conversations(), ids=lambda each: each.__name__[5:])
def test_on_uvloop(conversation: Conversation) -> None:
    factory = fastest_loop()
    assert factory is not None
    with asyncio.Runner(loop_factory=factory) as runner:
        assert type(runner.get_loop()).__module__ == "uvloop"
        runner.run(conversation())
