"""Zip archives as they were uploaded, by the SHA-256 of their bytes: what GetFunction hands out."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lambdash.errors import PlatformError, write_failed
from lambdash.model import ArchiveSource


class ArchiveStore:
    """The archives of one project. Every method may block; errors are ``PlatformError``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        """Where the archive of this digest (hex) lies, if it is kept."""
        return self._root / f"{sha256}.zip"

    def keep(self, content: bytes | memoryview) -> ArchiveSource:
        """Store the bytes; an archive that is there already is not written again."""
        source = ArchiveSource(hashlib.sha256(content).hexdigest(), len(content))
        target = self.path(source.sha256)
        if not target.exists():
            self._write(target, content)
        return source

    def make(self, sha256: str, write: Callable[[BinaryIO], None]) -> None:
        """Have ``write`` produce the archive of a known digest, unless it is kept already."""
        if not self.path(sha256).exists():
            self._stage(self.path(sha256), write)

    def retain(self, wanted: Collection[str]) -> None:
        """Remove every archive but those of these digests."""
        with suppress(FileNotFoundError):
            for path in self._root.iterdir():
                if path.stem not in wanted:
                    path.unlink(missing_ok=True)

    def _write(self, target: Path, content: bytes | memoryview) -> None:
        def write(file: BinaryIO) -> None:
            file.write(content)

        self._stage(target, write)

    def _stage(self, target: Path, write: Callable[[BinaryIO], None]) -> None:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, staged = tempfile.mkstemp(dir=self._root)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(staged).replace(target)
            except OSError:
                Path(staged).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise write_failed(
                error, PlatformError("archive-unwritable", f"{target}: {error}")
            ) from error


def code_sha256(sha256: str) -> str:
    """AWS's ``CodeSha256``: the digest in base64 instead of hex."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()
