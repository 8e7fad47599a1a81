"""Layers: what is found at ``/opt``, several merged into one tree, a later one over an earlier one.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

import hashlib
import os
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.model import Function, Package, ZipPackage
from lambdash.packaging.assemble import NOTHING, Assembly, Layer, write_dependencies, write_source
from lambdash.packaging.notices import bootstrap_missing, check_executable
from lambdash.packaging.store import PackageStore
from lambdash.packaging.target import Family, Target
from lambdash.packaging.tree import Entry, Tree, normalised_mode, overlay, size_bytes, tree_digest

# Part of every merge's fingerprint: a change of what merging makes must change it.
_VERSION = "1"


def merge(store: PackageStore, layers: Sequence[ZipPackage]) -> ZipPackage:
    """One or more layers in one tree, in use by this process until released. Blocking.

    Files are shared with the layers' own trees. Raises ``CallerError`` for more than 250 MB, and
    for a layer that the store no longer has (package-missing).
    """
    if len(layers) == 1 and store.use(layers[0]):
        return layers[0]
    fingerprint = hashlib.sha256(repr((_VERSION, layers)).encode()).hexdigest()
    found = store.find(fingerprint)
    if found is not None:
        return found
    trees = [_stored(store, layer) for layer in layers]
    entries = reduce(overlay, (tree.entries for tree in trees), dict[str, Entry]())
    package = ZipPackage(tree_digest(entries.values()), size_bytes(entries.values()))
    if package.size_bytes > limits.UNZIPPED_PACKAGE_MAX_BYTES:
        raise _too_large("the layers together are", package.size_bytes)
    if not store.use(package):
        with store.staging() as staged:
            copied = _write(trees, entries, staged / "tree")
            store.commit_package(staged, package, copied)
    store.record(fingerprint, package)
    return package


def check_together(function: Function, package: Package, layers: ZipPackage | None) -> None:
    """Raise ``CallerError`` (package-too-large) when code and layers are over AWS's limit."""
    if layers is None or not isinstance(package, ZipPackage):
        return
    total = package.size_bytes + layers.size_bytes
    if total > limits.UNZIPPED_PACKAGE_MAX_BYTES:
        raise _too_large(f"the package of `{function.name}` and its layers are", total)


def check_bootstrap_in(function: Function, code: Path, layers: Path) -> None:
    """As ``check_bootstrap``, where a layer may bring the program: AWS looks at the code first."""
    configuration = function.configuration
    if Target.of(configuration.runtime, configuration.architecture).family is not Family.PROVIDED:
        return
    for folder in (code, layers):
        bootstrap = folder / "bootstrap"
        if bootstrap.exists():
            check_executable(bootstrap, normalised_mode(bootstrap.stat().st_mode))
            return
    raise bootstrap_missing(f"neither the code of `{function.name}` nor its layers hold a")


def _stored(store: PackageStore, layer: ZipPackage) -> Layer:
    if not store.use(layer):
        raise CallerError(
            "package-missing", "a layer is no longer in the store", "publish or deploy it again"
        )
    tree = store.tree_path(layer)
    return Layer(tree, _read(tree))


def _read(tree: Path) -> dict[str, Entry]:
    """What is in a stored tree."""
    entries: dict[str, Entry] = {}
    for folder, folders, files in os.walk(tree):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            path = Path(folder, name)
            relative = path.relative_to(tree).as_posix()
            if path.is_symlink():
                entries[relative] = Entry(relative, 0, 0, "", str(path.readlink()))
                continue
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            seen = path.stat()
            entries[relative] = Entry(relative, normalised_mode(seen.st_mode), seen.st_size, digest)
    return entries


def _write(trees: Sequence[Layer], entries: Tree, target: Path) -> list[Path]:
    """Each entry linked from the layer it comes from; returns what had to be copied."""
    copied = write_dependencies(NOTHING, [], target)
    for tree in trees:
        own = {path: entry for path, entry in entries.items() if tree.entries.get(path) is entry}
        part = Assembly(tree.tree, entries, own, NOTHING, Layer(tree.tree, own))
        copied += write_source(part, target)
    return copied


def _too_large(what: str, total: int) -> CallerError:
    shown = f"{total / limits.MIB:.1f} MB"
    largest = limits.UNZIPPED_PACKAGE_MAX_BYTES // limits.MIB
    return CallerError(
        "package-too-large",
        f"{what} {shown} unzipped, and AWS takes {largest} MB",
        "leave files out, or make it a container image",
    )
