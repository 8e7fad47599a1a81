"""Small files that containers need, kept content-addressed in the store, and tar archives of trees.

The store's folder is the one place that the engine was probed to see, so the launcher and the
certificate bundles are copied there before they are mounted.
"""

import hashlib
import io
import os
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambdash.errors import CallerError


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A copy that never changes: ``folder`` holds nothing but the file ``name``."""

    folder: Path
    name: str
    digest: str

    @property
    def path(self) -> Path:
        return self.folder / self.name


def keep(source: Path, store: Path, name: str, mode: int) -> StoredFile:
    """Copy ``source`` into the store unless it is there; blocking. ``mode`` is the copy's."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise CallerError(
            "file-unreadable",
            f"{source} cannot be read: {error.strerror}",
            "check the path; certificate bundles are named by SSL_CERT_FILE and the like",
        ) from error
    digest = hashlib.sha256(content).hexdigest()[:32]
    kept = StoredFile(store / "files" / digest, name, digest)
    if not kept.path.exists():
        kept.folder.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=kept.folder.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(draft).chmod(mode)
        Path(draft).replace(kept.path)
    return kept


def archive(tree: Path) -> io.BytesIO | tempfile.SpooledTemporaryFile[bytes]:
    """A tar of ``tree``'s contents, owned by root, positioned at its start; blocking."""
    target = tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024)  # noqa: SIM115
    with tarfile.open(fileobj=target, mode="w") as tar:
        for entry in sorted(tree.iterdir()):
            tar.add(entry, arcname=entry.name, filter=_owned_by_root)
    target.seek(0)
    return target


def executable_archive(name: str, source: Path) -> bytes:
    """A tar with one executable, for the import of a ``FROM scratch`` image; blocking."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        member = tar.gettarinfo(str(source), arcname=name)
        member.mode = 0o755
        with source.open("rb") as file:
            tar.addfile(_owned_by_root(member), file)
    return target.getvalue()


def only_member(data: bytes) -> bytes:
    """The contents of the single file in a tar, or nothing."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                return file.read()
    return b""


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
