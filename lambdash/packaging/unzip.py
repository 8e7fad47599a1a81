"""Unpacking an archive someone else made, into the store: nothing outside, nothing too big.

Files are written first and links last, so nothing is ever written through a link; what a file's
header says of its size is a bound on what is written of it.
"""

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from lambdash import limits
from lambdash.model import ZipPackage
from lambdash.packaging.assemble import read_only
from lambdash.packaging.store import PackageStore
from lambdash.packaging.tree import Entry, parents, size_bytes, tree_digest
from lambdash.packaging.zip_directory import Member, broken, members, open_archive, unsafe

_BLOCK_BYTES = 1024 * 1024
# what zipfile says of damaged headers depends on where its reading of them breaks down
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def store_zip(store: PackageStore, archive: BinaryIO, name: str) -> ZipPackage:
    """The package of an archive; in use by this process until released. Blocking.

    ``archive`` can be sought; ``name`` stands in the errors: ``CallerError`` (zip-invalid,
    zip-unsafe, zip-empty, package-too-large), ``PlatformError`` when the disk fails.
    """
    with store.staging() as staged:
        entries = unzip(archive, staged / "tree", name)
        package = ZipPackage(tree_digest(entries.values()), size_bytes(entries.values()))
        if not store.use(package):
            files = [staged / "tree" / path for path, one in entries.items() if one.link is None]
            store.commit_package(staged, package, files)
        return package


def unzip(archive: BinaryIO, tree: Path, name: str) -> dict[str, Entry]:
    """Unpack into the new folder ``tree``, read-only; what is in it, by path. Errors as above."""
    with open_archive(archive, name) as opened:
        found = members(opened, name)
        _make_folders(tree, found)
        files = {one.path: _write(opened, one, tree, name) for one in found if not one.is_link}
        links = {one.path: _link(opened, one, tree, name) for one in found if one.is_link}
    _check_links(tree, links, name)
    return {**files, **links}


def _make_folders(tree: Path, found: list[Member]) -> None:
    folders = {folder for member in found for folder in parents(member.path)}
    for folder in ("", *sorted(folders)):
        path = tree / folder
        path.mkdir()
        path.chmod(0o755)  # whatever the umask: a sandbox's user reads it


def _write(opened: zipfile.ZipFile, member: Member, tree: Path, name: str) -> Entry:
    digest = hashlib.sha256()
    written = 0
    try:
        with opened.open(member.info) as content, (tree / member.path).open("xb") as file:
            while block := content.read(_BLOCK_BYTES):
                digest.update(block)
                written += file.write(block)
            os.fchmod(file.fileno(), read_only(member.mode))
    except _DAMAGED as error:
        raise broken(name, f"`{member.path}`: {error}") from error
    except FileExistsError as error:
        raise unsafe(name, member.path, "differs from another name by case only") from error
    return Entry(member.path, member.mode, written, digest.hexdigest())


def _link(opened: zipfile.ZipFile, member: Member, tree: Path, name: str) -> Entry:
    try:
        target = opened.read(member.info).decode()
    except _DAMAGED as error:
        raise broken(name, f"`{member.path}`: {error}") from error
    if not target or "\0" in target or len(target) > limits.LINK_TARGET_MAX_BYTES:
        raise unsafe(name, member.path, "is a link with a target that cannot be")
    if os.path.isabs(target):
        raise unsafe(name, member.path, f"is a link to {target}, outside of the package")
    os.symlink(target, tree / member.path)
    return Entry(member.path, 0, 0, "", target)


def _check_links(tree: Path, links: Mapping[str, Entry], name: str) -> None:
    """Judged when all links are there: several together may lead out, or in circles."""
    root = os.path.realpath(tree)
    for path in links:
        target = os.path.realpath(tree / path)
        if target != root and not target.startswith(root + os.sep):
            raise unsafe(name, path, f"is a link to {links[path].link}, outside of the package")
        folder = os.path.realpath((tree / path).parent)
        if (folder + os.sep).startswith(target + os.sep) or os.path.islink(target):
            raise unsafe(name, path, "is a link that leads back to itself")
