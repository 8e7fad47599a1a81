"""From a function's folder to a package in the store: a fingerprint, a hit, or a build."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from lambdash import limits
from lambdash.clock import Clock, SystemClock
from lambdash.errors import CallerError
from lambdash.model import (
    ArchiveSource,
    DockerfileSource,
    FolderSource,
    Function,
    ImageSource,
    ZipPackage,
)
from lambdash.model.progress import Progress, ProgressSink
from lambdash.packaging.assemble import (
    NOTHING,
    Assembly,
    Layer,
    check_size,
    write_source,
    write_tree,
)
from lambdash.packaging.bytecode import Compilers, without_bytecode, without_stale_bytecode
from lambdash.packaging.dependency_cache import DependencyCache, Wanted
from lambdash.packaging.ignore import Ignore
from lambdash.packaging.node_dependencies import NodeDependencies
from lambdash.packaging.notices import check_bootstrap, notices
from lambdash.packaging.single_flight import SingleFlight, in_thread
from lambdash.packaging.source import (
    Digests,
    SourceChanged,
    SourceFile,
    check_folder,
    check_links,
    is_unsettled,
    scan,
    undigested,
)
from lambdash.packaging.spares import Spares
from lambdash.packaging.store import Dependencies, PackageStore
from lambdash.packaging.target import Family, Target
from lambdash.packaging.tree import Entry, Tree, overlay, tree_digest
from lambdash.packaging.tree import size_bytes as total_bytes

# Part of every fingerprint: a change of what a build makes of the same folder must change it.
_VERSION = "2"
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One look at a folder. ``signature`` stands for everything that a build of it depends on."""

    folder: Path
    target: Target
    wanted: Wanted | None
    files: list[SourceFile]
    signature: str


class Builder:
    """Builds folders into packages; one per process and store.

    ``environ`` is the environment that uv and npm inherit, the process's own by default;
    ``compilers`` are this machine's by default.
    """

    def __init__(
        self,
        store: PackageStore,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
        compilers: Compilers | None = None,
    ) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        environ = os.environ if environ is None else environ
        self._dependencies = DependencyCache(store, environ, compilers or Compilers(environ))
        self._digests = Digests(self._clock)
        self._builds: SingleFlight[ZipPackage] = SingleFlight()
        self._spares = Spares(store)
        self._previous: OrderedDict[Path, Layer] = OrderedDict()

    def fingerprint(self, function: Function) -> str:
        """Equal fingerprints mean equal packages; about a millisecond for a small folder.

        A file written within the last tick of the file system's clock gives a fingerprint that is
        never given again: the next write could leave the same times behind. Raises ``CallerError``
        for a folder that cannot be packaged.
        """
        match function.source:
            case FolderSource():
                return self._fingerprint_of(self._look_at(function))
            case DockerfileSource():
                return self._context_fingerprint(function.source)
            case ImageSource():
                return _hash(_VERSION, function.source.reference)
            case ArchiveSource():
                return _hash(_VERSION, function.source.sha256)
            case _:
                assert_never(function.source)

    async def build(self, function: Function, progress: ProgressSink) -> ZipPackage:
        """The package of the folder as it is now; in use by this process until released.

        Raises ``CallerError`` for what AWS would refuse or a dependency that cannot be installed,
        ``PlatformError`` when the disk or the installer fails. Several callers share one build.
        """
        snapshot = await in_thread(lambda: self._look_at(function))
        fingerprint = self._fingerprint_of(snapshot)
        return await self._builds.run(
            fingerprint, lambda: self._find_or_build(function, fingerprint, progress)
        )

    def _look_at(self, function: Function) -> _Snapshot:
        assert isinstance(function.source, FolderSource)
        folder = function.source.path
        configuration = function.configuration
        target = Target.of(configuration.runtime, configuration.architecture)
        check_folder(folder)
        wanted = self._dependencies.wanted(folder, target)
        installed_apart = ("/node_modules/",) if isinstance(wanted, NodeDependencies) else ()
        files = scan(folder, Ignore.for_folder(folder, *installed_apart))
        signature = _hash(
            _VERSION,
            str(folder),
            repr((target.family, target.version, target.architecture)),
            wanted.fingerprint if wanted else "",
            *(repr(file) for file in files),
        )
        return _Snapshot(folder, target, wanted, files, signature)

    def _fingerprint_of(self, snapshot: _Snapshot) -> str:
        return self._unless_unsettled(snapshot.signature, snapshot.files)

    def _context_fingerprint(self, source: DockerfileSource) -> str:
        check_folder(source.context)
        files = scan(source.context, Ignore.nothing(source.context))
        dockerfile = source.dockerfile.stat() if source.dockerfile.exists() else None
        parts = [repr(source), repr(dockerfile), *(repr(file) for file in files)]
        return self._unless_unsettled(_hash(_VERSION, *parts), files)

    def _unless_unsettled(self, signature: str, files: list[SourceFile]) -> str:
        if is_unsettled(files, self._clock):
            return _hash(signature, os.urandom(16).hex())
        return signature

    async def _find_or_build(
        self, function: Function, fingerprint: str, progress: ProgressSink
    ) -> ZipPackage:
        found = await in_thread(lambda: self._store.find(fingerprint))
        if found is not None:
            return found
        task = f"{function.name}: package"
        said = "failed"
        try:
            for _ in range(_ATTEMPTS):
                try:
                    package = await self._build(function, progress)
                except SourceChanged:
                    progress(Progress(task, "the folder changed meanwhile; building again"))
                    continue
                said = "built"
                return package
        finally:
            progress(Progress(task, said, finished=True))
        raise CallerError(
            "source-changing",
            f"the folder of `{function.name}` keeps changing while it is packaged",
            "wait for what writes into it, or leave its files out with .lambdashignore",
        )

    async def _build(self, function: Function, progress: ProgressSink) -> ZipPackage:
        snapshot = await in_thread(lambda: self._look_at(function))
        progress(Progress(f"{function.name}: package", f"packaging {snapshot.folder.name}"))
        installed = None
        if snapshot.wanted is not None:
            installed = await self._dependencies.get(function.name, snapshot.wanted, progress)
        package, said = await in_thread(lambda: self._package(function, snapshot, installed))
        for text in said:
            # finished: it stays on a terminal, where the bar's next step would replace it
            progress(Progress(f"{function.name}: notice", text, finished=True))
        if installed is not None:
            self._spares.prepare_soon(Layer(installed.tree, installed.entries))
        return package

    def _package(
        self, function: Function, snapshot: _Snapshot, installed: Dependencies | None
    ) -> tuple[ZipPackage, list[str]]:
        """In a thread: digest, write unless it is stored, check that nothing moved."""
        folder = snapshot.folder
        check_links(folder, snapshot.files)
        source = {file.path: undigested(file) for file in snapshot.files}
        if not function.layers:  # they may bring it: the deploy looks when they are built
            check_bootstrap(folder, snapshot.target, source)
        below = Layer(installed.tree, installed.entries) if installed else NOTHING
        entries, said = _put_together(snapshot.target, below, source)
        size_bytes = check_size(folder, entries)  # before hundreds of megabytes are read
        for file in snapshot.files:
            source[file.path] = entries[file.path] = self._digests.entry(folder, file)
        package = ZipPackage(tree_digest(entries.values()), size_bytes)
        if not self._store.use(package):
            previous = self._previous.get(folder, NOTHING)
            self._write(Assembly(folder, entries, source, below, previous), package)
        after = self._look_at(function)
        if after.signature != snapshot.signature:
            raise SourceChanged(str(folder))
        if self._fingerprint_of(after) == snapshot.signature and _is_as_wanted(snapshot, installed):
            self._store.record(snapshot.signature, package)
        self._remember(folder, package, source)
        return package, [*said, *notices(function.configuration, snapshot.target, entries)]

    def _write(self, assembly: Assembly, package: ZipPackage) -> None:
        spare = self._spares.take(assembly) if assembly.dependencies is not NOTHING else None
        with self._store.staging(spare) as staged:
            write = write_tree if spare is None else write_source
            copied = write(assembly, staged / "tree")
            self._store.commit_package(staged, package, copied)

    def _remember(self, folder: Path, package: ZipPackage, source: Tree) -> None:
        """Keep what the next build of this folder may link instead of copying."""
        self._previous[folder] = Layer(self._store.tree_path(package), source)
        self._previous.move_to_end(folder)
        while len(self._previous) > limits.PACKAGE_TREES_KEPT_MAX:
            self._previous.popitem(last=False)


def _put_together(target: Target, below: Layer, source: Tree) -> tuple[dict[str, Entry], list[str]]:
    """The entries of a package, with what is worth saying about them.

    Bytecode is ours, not the author's: what is too large with it goes without.
    """
    entries = overlay(without_stale_bytecode(below.entries, source), source)
    largest = limits.UNZIPPED_PACKAGE_MAX_BYTES
    if target.family is not Family.PYTHON or total_bytes(entries.values()) <= largest:
        return entries, []
    bare = overlay(without_bytecode(below.entries), source)
    if len(bare) == len(entries):
        return entries, []
    return bare, ["the compiled modules are left out: with them the package is too large"]


def _is_as_wanted(snapshot: _Snapshot, installed: Dependencies | None) -> bool:
    """False when the dependencies could not be compiled this time: the next time may do better."""
    wanted = snapshot.wanted
    return wanted is None or installed is None or wanted.fingerprint == installed.fingerprint


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()
