"""Owners of work that outlives the call which began it; no task runs without one."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from lambdash.errors import LambdashError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Tasks:
    """A set of tasks that is joined or cancelled as a whole. A failure is logged, no further."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start ``work``; who needs its result may await the task as well."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def join(self) -> None:
        """Wait until nothing is left, including what the work itself started."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def cancel(self, spared: "asyncio.Task[Any] | None" = None) -> None:
        """Cancel what is there but ``spared``, and wait for its end."""
        others = [task for task in self._tasks if task is not spared]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            level = logging.WARNING if isinstance(error, LambdashError) else logging.ERROR
            _log.log(level, "work failed: %s", task.get_name(), exc_info=error)


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Run all at once; the first error cancels the rest and is raised as itself, not in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        first = errors.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]
