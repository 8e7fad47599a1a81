"""What a Dockerfile build is made of: its context, its identity, and what it may not use."""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from docker.utils.build import create_archive, exclude_paths

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.model import DockerfileSource

# instruction flags and here-documents that only BuildKit's own front end understands
_FLAG = re.compile(
    r"^\s*(RUN|COPY|ADD)\s+(?:--\S+\s+)*--(mount|network|security|chmod|link)\b", re.I
)
_HEREDOC = re.compile(r"^\s*(RUN|COPY|ADD)\s.*(?<![<\d])<<-?[\"']?[A-Za-z_]", re.I)
# in the context under a name nothing else has, so that a Dockerfile may lie outside of it
_DOCKERFILE_IN_CONTEXT = ".lambdash.Dockerfile"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """Files of a build, ``.dockerignore`` applied. ``identity`` covers all that goes into it."""

    source: DockerfileSource
    dockerfile_text: str
    files: tuple[str, ...]
    identity: str

    @property
    def dockerfile_name(self) -> str:
        return _DOCKERFILE_IN_CONTEXT

    def archive(self) -> IO[bytes]:
        """A nameless temporary file with the context's tar, at its start; the caller closes it."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - handed over
        extra = [(_DOCKERFILE_IN_CONTEXT, self.dockerfile_text)]
        create_archive(
            str(self.source.context), files=list(self.files), fileobj=file, extra_files=extra
        )
        file.seek(0)
        return file


def read_context(source: DockerfileSource, architecture: str) -> BuildContext:
    """Read and check what will be built. Blocking: every file is read once for its digest.

    Raises:
        CallerError: ``dockerfile-missing``, ``build-context-missing``,
            ``dockerfile-needs-buildkit`` (with the line), ``build-context-unreadable``.
    """
    if not source.context.is_dir():
        text = f"the build context {source.context} is no folder"
        raise CallerError("build-context-missing", text)
    text = _dockerfile_text(source.dockerfile)
    refuse_buildkit(text, source.dockerfile)
    files = tuple(sorted(exclude_paths(str(source.context), _ignored(source.context))))
    files = tuple(name for name in files if name)
    digest = hashlib.sha256(text.encode())
    digest.update(repr((architecture, source.target, source.arguments)).encode())
    try:
        for line in _described(source.context, files):
            digest.update(line)
    except OSError as error:
        message = f"{error.filename} of the build context cannot be read: {error.strerror}"
        hint = "leave it out with a .dockerignore file"
        raise CallerError("build-context-unreadable", message, hint) from error
    return BuildContext(source, text, files, digest.hexdigest()[:24])


def refuse_buildkit(text: str, file: Path) -> None:
    """Raise ``dockerfile-needs-buildkit`` for what the engine's classic builder cannot read."""
    for number, line in enumerate(text.splitlines(), start=1):
        flag = _FLAG.match(line)
        if flag is None and _HEREDOC.match(line) is None:
            continue
        what = f"`{flag[1].upper()} --{flag[2].lower()}`" if flag else "a here-document (`<<`)"
        message = f"{file}:{number}: {what} needs BuildKit, which lambdash does not use yet"
        hint = "build the image with `docker build` and name it with `image:`"
        raise CallerError("dockerfile-needs-buildkit", message, hint)


def _dockerfile_text(file: Path) -> str:
    try:
        if file.stat().st_size > limits.DOCKERFILE_MAX_BYTES:
            raise CallerError("dockerfile-missing", f"{file} is too large for a Dockerfile")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "check `build: {dockerfile: ...}` in the manifest"
        raise CallerError("dockerfile-missing", f"{file} cannot be read: {error}", hint) from error


def _ignored(context: Path) -> list[str]:
    file = context / ".dockerignore"
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _described(context: Path, files: tuple[str, ...]) -> Iterator[bytes]:
    for name in files:
        path = context / name
        status = path.lstat()
        yield repr((name, stat.S_IFMT(status.st_mode), status.st_mode & 0o777)).encode()
        if stat.S_ISLNK(status.st_mode):
            yield os.readlink(path).encode()
        elif stat.S_ISREG(status.st_mode):
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "sha256").digest()
