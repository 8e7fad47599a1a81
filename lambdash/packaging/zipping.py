"""A tree of the store as a zip: the same bytes wherever and whenever it is made."""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

# the earliest time a zip can tell
_TIME = (1980, 1, 1, 0, 0, 0)
_BLOCK_BYTES = 1024 * 1024


def write_zip(tree: Path, sink: BinaryIO) -> None:
    """Write the files and links below ``tree``, sorted by name. Blocking; raises ``OSError``.

    ``sink`` is written from front to back and need not be seekable.
    """
    with zipfile.ZipFile(_Forward(sink), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(tree):
            _add(archive, tree, path)


class _Forward(io.RawIOBase):
    """Hides that a sink can be sought: what zipfile writes would depend on it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._sink.write(data)


def _files(tree: Path) -> Iterator[Path]:
    found = []
    for folder, folders, files in os.walk(tree):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found += [Path(folder, name) for name in (*files, *links)]
    return iter(sorted(found))


def _add(archive: zipfile.ZipFile, tree: Path, path: Path) -> None:
    info = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _TIME)
    info.create_system = 3  # Unix: the upper half of the attributes is a mode
    info.compress_type = zipfile.ZIP_DEFLATED
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, os.readlink(path))
        return
    permissions = 0o755 if mode & 0o111 else 0o644
    info.external_attr = (stat.S_IFREG | permissions) << 16
    with path.open("rb") as content, archive.open(info, "w") as member:
        while block := content.read(_BLOCK_BYTES):
            member.write(block)
