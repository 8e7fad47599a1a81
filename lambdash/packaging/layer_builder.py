"""From the folders and archives a manifest names as layers to one tree in the store."""

import hashlib
import os
from collections.abc import Sequence

from lambdash.clock import Clock, SystemClock
from lambdash.errors import CallerError
from lambdash.model import LayerSource, ZipPackage
from lambdash.model.progress import Progress, ProgressSink
from lambdash.packaging.assemble import NOTHING, Assembly, check_size, write_tree
from lambdash.packaging.ignore import Ignore
from lambdash.packaging.layers import merge
from lambdash.packaging.single_flight import SingleFlight, in_thread
from lambdash.packaging.source import (
    Digests,
    SourceChanged,
    SourceFile,
    check_links,
    is_unsettled,
    scan,
    undigested,
    unreadable,
)
from lambdash.packaging.store import PackageStore
from lambdash.packaging.tree import Tree, tree_digest
from lambdash.packaging.unzip import store_zip

# Part of every fingerprint: a change of what a build makes of the same files must change it.
_VERSION = "layer-1"
_ATTEMPTS = 2


class LayerBuilder:
    """Builds layers; one per process and store. A layer of several functions is built once."""

    def __init__(self, store: PackageStore, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._digests = Digests(self._clock)
        self._builds: SingleFlight[ZipPackage] = SingleFlight()

    def fingerprint(self, sources: Sequence[LayerSource]) -> str:
        """Equal fingerprints mean equal trees; empty without layers. As ``Builder.fingerprint``."""
        return _hash(*(self._fingerprint(source) for source in sources)) if sources else ""

    async def build(
        self, sources: Sequence[LayerSource], progress: ProgressSink
    ) -> ZipPackage | None:
        """All layers in one tree as they are now, in use until released; None without layers.

        Raises ``CallerError`` for what AWS would refuse, ``PlatformError`` when the disk fails.
        """
        if not sources:
            return None
        layers = [await self._package(source, progress) for source in sources]
        key = _hash("merge", *(layer.digest for layer in layers))
        return await self._builds.run(key, lambda: in_thread(lambda: merge(self._store, layers)))

    def _fingerprint(self, source: LayerSource) -> str:
        files = _look_at(source)
        signature = _hash(_VERSION, str(source.path), *(repr(file) for file in files))
        if is_unsettled(files, self._clock):
            return _hash(signature, os.urandom(16).hex())
        return signature

    async def _package(self, source: LayerSource, progress: ProgressSink) -> ZipPackage:
        fingerprint = await in_thread(lambda: self._fingerprint(source))
        return await self._builds.run(
            fingerprint, lambda: self._find_or_build(source, fingerprint, progress)
        )

    async def _find_or_build(
        self, source: LayerSource, fingerprint: str, progress: ProgressSink
    ) -> ZipPackage:
        found = await in_thread(lambda: self._store.find(fingerprint))
        if found is not None:
            return found
        task, said = f"layer {source.name}", "failed"
        progress(Progress(task, f"packaging {source.path.name}"))
        try:
            package, notice = await in_thread(lambda: self._build(source))
            said = "built"
        finally:
            progress(Progress(task, said, finished=True))
        if notice:
            progress(Progress(f"{task}: notice", notice, finished=True))
        return package

    def _build(self, source: LayerSource) -> tuple[ZipPackage, str]:
        for _ in range(_ATTEMPTS):
            before = _look_at(source)
            try:
                package, notice = self._store_as_it_is(source, before)
            except SourceChanged:
                continue
            if _look_at(source) == before:
                if not is_unsettled(before, self._clock):
                    self._store.record(self._fingerprint(source), package)
                return package, notice
        raise CallerError(
            "source-changing",
            f"{source.path} keeps changing while it is packaged",
            "wait for what writes into it, or leave its files out with .lambdashignore",
        )

    def _store_as_it_is(
        self, source: LayerSource, files: list[SourceFile]
    ) -> tuple[ZipPackage, str]:
        if not source.path.is_dir():
            try:
                with source.path.open("rb") as archive:
                    return store_zip(self._store, archive, str(source.path)), ""
            except OSError as error:
                raise unreadable(source.path.parent, source.path.name, error) from error
        check_links(source.path, files)
        size_bytes = check_size(source.path, {file.path: undigested(file) for file in files})
        entries = {file.path: self._digests.entry(source.path, file) for file in files}
        package = ZipPackage(tree_digest(entries.values()), size_bytes)
        if not self._store.use(package):
            with self._store.staging() as staged:
                whole = Assembly(source.path, entries, entries, NOTHING, NOTHING)
                self._store.commit_package(staged, package, write_tree(whole, staged / "tree"))
        return package, _notice(entries)


def _look_at(source: LayerSource) -> list[SourceFile]:
    """The files of a folder, or the one that an archive is. Raises ``CallerError``."""
    if not source.path.is_dir():
        return [_look_at_file(source)]
    files = scan(source.path, Ignore.for_folder(source.path))
    paths = {file.path for file in files}
    if not paths:
        raise CallerError(
            "layer-empty",
            f"layer `{source.name}`: {source.path} holds no files",
            "put there what is to be found at /opt, such as python/ or nodejs/node_modules/",
        )
    if "requirements.txt" in paths and not any(path.startswith("python/") for path in paths):
        raise CallerError(
            "not-supported-yet",
            f"layer `{source.name}` is not built from {source.path / 'requirements.txt'} yet",
            f"install it: uv pip install -r requirements.txt --target {source.path / 'python'}",
        )
    return files


def _look_at_file(source: LayerSource) -> SourceFile:
    path = source.path
    try:
        seen = path.stat()
    except OSError as error:
        raise CallerError(
            "code-not-found",
            f"layer `{source.name}`: {path} cannot be found: {error.strerror}",
            "a layer is a folder, or a zip archive, relative to the manifest",
        ) from error
    times = (seen.st_mtime_ns, seen.st_ctime_ns)
    return SourceFile(path.name, seen.st_mode, seen.st_size, *times, seen.st_ino)


def _notice(entries: Tree) -> str:
    """A layer of bare modules is unpacked where no runtime looks for them."""
    tops = {path.partition("/")[0] for path in entries}
    if "python" not in tops and any(top.endswith(".py") for top in tops):
        return "its Python modules are not on the path: Lambda looks in the folder `python`"
    if not tops.isdisjoint({"node_modules", "package.json"}) and "nodejs" not in tops:
        return "its modules are not on the path: Lambda looks in `nodejs/node_modules`"
    return ""


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()
