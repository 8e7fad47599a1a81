"""The central directory of a zip archive someone else made: judged before anything is written.

Names, kinds and declared sizes come from here. APPNOTE is the format's specification:
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import stat
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.packaging.tree import normalised_mode, parents

_END = b"PK\x05\x06"
_END_SIZE = 22
_COMMENT_MAX = 0xFFFF
_END_64 = b"PK\x06\x06"
_LOCATOR_64 = b"PK\x06\x07"
_END_64_SIZE, _LOCATOR_64_SIZE = 56, 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_UTF_8 = 0x800
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Member:
    """One file or link of an archive. ``path`` is relative, with ``/``, and leaves nothing."""

    path: str
    mode: int
    is_link: bool
    info: zipfile.ZipInfo


def open_archive(archive: BinaryIO, name: str) -> zipfile.ZipFile:
    """The archive, its directory read; raises ``CallerError`` (zip-invalid, package-too-large)."""
    size = archive.seek(0, 2)
    directory_bytes = _directory_bytes(archive, size)
    if directory_bytes is None:
        raise broken(name, "it is not a zip archive, or its end is missing")
    if directory_bytes > limits.ZIP_DIRECTORY_MAX_BYTES:
        raise _too_many(name)
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise broken(name, str(error)) from error


def _directory_bytes(archive: BinaryIO, size: int) -> int | None:
    """What the archive says its directory takes: it is read at once, so it is bounded first."""
    archive.seek(max(0, size - _END_SIZE - _COMMENT_MAX - _LOCATOR_64_SIZE - _END_64_SIZE))
    tail = archive.read()
    end = tail.rfind(_END)
    if end < 0 or end + _END_SIZE > len(tail):
        return None
    (directory_bytes,) = struct.unpack_from("<L", tail, end + 12)
    locator = end - _LOCATOR_64_SIZE
    if locator < 0 or not tail.startswith(_LOCATOR_64, locator):
        return int(directory_bytes)
    record = locator - _END_64_SIZE
    if record < 0 or not tail.startswith(_END_64, record):
        return None
    return int(struct.unpack_from("<Q", tail, record + 40)[0])


def members(opened: zipfile.ZipFile, name: str) -> list[Member]:
    """Every file and link, later ones of the same path in place of earlier ones.

    Raises ``CallerError``: ``zip-unsafe`` for a name or a kind that no package may hold,
    ``package-too-large`` for what the directory alone says is over AWS's limits, ``zip-invalid``
    for what cannot be read, ``zip-empty``.
    """
    found: dict[str, Member] = {}
    folders: set[str] = set()
    for info in opened.infolist():
        path = _path(info, name)
        if info.is_dir() or _kind(info) == stat.S_IFDIR:
            folders.update((*parents(path), path) if path else ())
            continue
        _check_readable(info, path, name)
        found[path] = Member(path, normalised_mode(_mode(info)), _is_link(info, path, name), info)
        folders.update(parents(path))
    if not found:
        raise CallerError("zip-empty", f"{name} holds no files", "zip the code, not its folder")
    if len(found) > limits.PACKAGE_MAX_FILES:
        raise _too_many(name)
    _check_shape(found, folders, name)
    return list(found.values())


def _path(info: zipfile.ZipInfo, name: str) -> str:
    """The relative path with ``.`` and doubled slashes removed; empty for the top folder."""
    text = _decoded(info)
    parts = [part for part in text.split("/") if part not in {"", "."}]
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":"
    if text.startswith("/") or ".." in parts or "\\" in text or "\0" in text or drive:
        raise unsafe(name, info.filename, "leaves the folder it is unpacked to")
    if any(len(part.encode()) > limits.FILE_NAME_MAX_BYTES for part in parts):
        raise unsafe(name, info.filename[:64], "is longer than a file's name may be")
    if len(parts) > limits.ZIP_PATH_MAX_DEPTH:
        raise unsafe(name, info.filename[:64], "lies too deep")
    return "/".join(parts)


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name as UTF-8 where it is: many tools write it without saying so."""
    if info.flag_bits & _UTF_8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeError:
        return info.orig_filename


def _mode(info: zipfile.ZipInfo) -> int:
    return info.external_attr >> 16 if info.create_system == _UNIX else 0


def _kind(info: zipfile.ZipInfo) -> int:
    return stat.S_IFMT(_mode(info))


def _is_link(info: zipfile.ZipInfo, path: str, name: str) -> bool:
    kind = _kind(info)
    if kind not in {0, stat.S_IFREG, stat.S_IFLNK}:
        raise unsafe(name, path, "is neither a file nor a folder nor a link")
    if kind == stat.S_IFLNK and info.file_size > limits.LINK_TARGET_MAX_BYTES:
        raise unsafe(name, path, "is a link with a target that is too long")
    return kind == stat.S_IFLNK


def _check_readable(info: zipfile.ZipInfo, path: str, name: str) -> None:
    if not path:
        raise unsafe(name, info.filename, "has no name")
    if info.flag_bits & _ENCRYPTED:
        raise broken(name, f"`{path}` is encrypted")
    if info.compress_type not in _METHODS:
        raise broken(name, f"`{path}` is compressed with method {info.compress_type}")


def _check_shape(found: Mapping[str, Member], folders: Iterable[str], name: str) -> None:
    """Nothing lies below a file or a link: what is written later must not follow either."""
    for folder in folders:
        if folder in found:
            raise unsafe(name, folder, "is both a folder and a file")
    total = sum(member.info.file_size for member in found.values())
    if total > limits.UNZIPPED_PACKAGE_MAX_BYTES:
        raise too_large(name, total)


def too_large(name: str, size_bytes: int) -> CallerError:
    """The error for what is over AWS's unzipped size."""
    largest = limits.UNZIPPED_PACKAGE_MAX_BYTES // limits.MIB
    return CallerError(
        "package-too-large",
        f"{name} is {size_bytes / limits.MIB:.1f} MB unzipped, and AWS takes {largest} MB",
        "leave files out, or make it a container image",
    )


def _too_many(name: str) -> CallerError:
    return CallerError(
        "package-too-large",
        f"{name} holds more than {limits.PACKAGE_MAX_FILES} files",
        "leave files out, or make it a container image",
    )


def broken(name: str, why: str) -> CallerError:
    """The error for an archive that cannot be read."""
    return CallerError("zip-invalid", f"{name} cannot be unzipped: {why}", "make the archive anew")


def unsafe(name: str, path: str, why: str) -> CallerError:
    """The error for an archive that no package may be made of."""
    shown = path.encode(errors="backslashreplace").decode()
    hint = "make the archive anew, without it"
    return CallerError("zip-unsafe", f"in {name}, `{shown}` {why}", hint)
