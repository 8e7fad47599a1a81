"""Dependency trees linked ahead, so that the next edit of a source is a rename and its own files.

Most of an edit's build is thousands of folders and links that are the same each time. After a build
one more tree of them is made ready in the store's staging: it is this process's own, no package,
and removed with what dead processes left there (``PackageStore.sweep``, ``prune``).
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

from lambdash import limits
from lambdash.errors import LambdashError
from lambdash.packaging.assemble import Assembly, Layer, write_dependencies
from lambdash.packaging.disk import disk_errors
from lambdash.packaging.single_flight import in_thread
from lambdash.packaging.source import SourceChanged
from lambdash.packaging.store import PackageStore


class Spares:
    """At most one spare for each dependency tree; owns the tasks that make them."""

    def __init__(self, store: PackageStore) -> None:
        self._store = store
        self._ready: OrderedDict[Path, Path] = OrderedDict()
        self._tasks: dict[Path, asyncio.Task[None]] = {}
        self._lock = Lock()
        self._swept = False

    def take(self, assembly: Assembly) -> Path | None:
        """A staged folder whose ``tree`` holds the assembly's dependencies, now the caller's.

        None when there is none, and when the source replaces a part of the dependencies.
        """
        below = assembly.dependencies
        if len(assembly.entries) != len(below.entries) + len(assembly.source):
            return None
        with self._lock:
            staged = self._ready.pop(below.tree, None)
        return staged if staged is not None and (staged / "tree").is_dir() else None

    def prepare_soon(self, below: Layer) -> None:
        """Have a spare made in a moment, unless it is there or under way."""
        if below.tree in self._tasks:
            return
        task = self._tasks[below.tree] = asyncio.create_task(self._prepare_later(below))
        task.add_done_callback(lambda _: self._tasks.pop(below.tree))

    async def _prepare_later(self, below: Layer) -> None:
        await asyncio.sleep(limits.SPARE_TREE_AFTER_S)
        # the next build does without, and says what is wrong
        with suppress(LambdashError, SourceChanged):
            await in_thread(lambda: self.prepare(below))

    def prepare(self, below: Layer) -> None:
        """Blocking: make a spare now, unless it is there. Raises ``PlatformError``,
        and ``SourceChanged`` when the dependencies are not what they were.
        """
        with self._lock:
            if below.tree in self._ready:
                self._ready.move_to_end(below.tree)
                return
        if not self._swept:
            self._swept = True
            self._store.sweep()
        staged = self._store.stage()
        try:
            with disk_errors(self._store.root):
                copied = write_dependencies(below, below.entries.values(), staged / "tree")
        except BaseException:
            self._store.discard(staged)
            raise
        surplus = [staged] if copied else self._keep(below.tree, staged)
        for folder in surplus:
            self._store.discard(folder)

    def _keep(self, dependencies: Path, staged: Path) -> list[Path]:
        """What there is no room for any more."""
        with self._lock:
            surplus = [self._ready.pop(dependencies)] if dependencies in self._ready else []
            self._ready[dependencies] = staged
            while len(self._ready) > limits.SPARE_TREES_MAX:
                surplus.append(self._ready.popitem(last=False)[1])
        return surplus
