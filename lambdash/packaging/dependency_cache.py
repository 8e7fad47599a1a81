"""Installed dependencies, kept apart from the code: an edit of the code installs nothing."""

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from lambdash import limits
from lambdash.model.progress import Progress, ProgressSink
from lambdash.packaging import node_dependencies as node
from lambdash.packaging import python_dependencies as python
from lambdash.packaging.assemble import seal
from lambdash.packaging.bytecode import Compilers, compile_tree
from lambdash.packaging.command import Talk
from lambdash.packaging.disk import disk_errors
from lambdash.packaging.single_flight import SingleFlight, in_thread
from lambdash.packaging.source import SourceChanged
from lambdash.packaging.store import Dependencies, PackageStore
from lambdash.packaging.target import Family, Target

Wanted: TypeAlias = python.PythonDependencies | node.NodeDependencies


class DependencyCache:
    """One install per fingerprint, in the store. ``environ`` is what uv and npm inherit.

    What was asked for stays in use by this process, so that the next edit finds it.
    """

    def __init__(
        self, store: PackageStore, environ: Mapping[str, str], compilers: Compilers
    ) -> None:
        self._store = store
        self._environ = environ
        self._compilers = compilers
        self._installs: SingleFlight[Dependencies] = SingleFlight()
        self._at_hand: OrderedDict[str, Dependencies] = OrderedDict()

    def wanted(self, folder: Path, target: Target) -> Wanted | None:
        """What a folder asks to be installed for a target; None when nothing."""
        match target.family:
            case Family.PYTHON:
                found = python.python_dependencies(folder, target, self._environ)
                return found and replace(found, compiler=self._compilers.compiler(target))
            case Family.NODE:
                return node.node_dependencies(folder, target, self._environ)
            case Family.PROVIDED | Family.OTHER:
                return None

    async def get(self, name: str, wanted: Wanted, progress: ProgressSink) -> Dependencies:
        """The installed tree, from memory, the store or an install for function ``name``.

        Its fingerprint is not the wanted one when it could not be compiled.
        """
        fingerprint = wanted.fingerprint
        found = self._at_hand.get(fingerprint)
        if found is None or not found.tree.is_dir():  # someone may have removed the whole store
            found = await in_thread(lambda: self._store.find_dependencies(fingerprint))
        if found is None:
            found = await self._installs.run(
                fingerprint, lambda: self._install(f"{name}: dependencies", wanted, progress)
            )
        self._at_hand[fingerprint] = found
        self._at_hand.move_to_end(fingerprint)
        while len(self._at_hand) > limits.PACKAGE_TREES_KEPT_MAX:
            self._at_hand.popitem(last=False)
        return found

    async def _install(self, task: str, wanted: Wanted, progress: ProgressSink) -> Dependencies:
        progress(Progress(task, "installing"))
        ended = "failed"

        def talk(text: str) -> None:
            progress(Progress(task, text))

        try:
            async with self._staged() as staged:
                await wanted.install(staged, talk)
                await in_thread(lambda: self._check(staged / "tree", wanted))
                fingerprint = await _compile(staged / "tree", wanted, talk)
                installed = await in_thread(lambda: self._keep(staged, fingerprint))
            ended = "installed"
            return installed
        finally:
            progress(Progress(task, ended, finished=True))

    def _check(self, tree: Path, wanted: Wanted) -> None:
        """In a thread. The installer read the user's files itself: were they still the same?"""
        fresh = self.wanted(wanted.folder, wanted.target)
        if fresh is None or fresh.fingerprint != wanted.fingerprint:
            raise SourceChanged(str(wanted.folder))
        match wanted:
            case python.PythonDependencies():
                python.normalise(tree)
            case node.NodeDependencies():
                node.normalise(tree)

    def _keep(self, staged: Path, fingerprint: str) -> Dependencies:
        return self._store.commit_dependencies(staged, fingerprint, seal(staged / "tree"))

    @contextlib.asynccontextmanager
    async def _staged(self) -> AsyncIterator[Path]:
        staged = await in_thread(self._store.stage)
        try:
            with disk_errors(self._store.root):
                yield staged
        finally:
            await in_thread(lambda: self._store.discard(staged))


async def _compile(tree: Path, wanted: Wanted, talk: Talk) -> str:
    """Compile what can be; the fingerprint of the tree as it is then."""
    if isinstance(wanted, node.NodeDependencies) or wanted.compiler is None:
        return wanted.fingerprint
    compiled = await compile_tree(wanted.compiler, tree, talk)
    return wanted.fingerprint if compiled else wanted.uncompiled
