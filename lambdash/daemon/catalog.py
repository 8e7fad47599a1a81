"""The manifest as it is on disk now: read again when the file, or one it names, has changed."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from lambdash import manifest
from lambdash.errors import CallerError
from lambdash.manifest import LoadOptions, Manifest
from lambdash.model import Function


class Catalog:
    """Loads lazily; a file whose time and size are unchanged is not read twice."""

    def __init__(self, path: Path, environ: Mapping[str, str], env_vars: Path | None) -> None:
        self._path = path
        self._options = LoadOptions(environ=environ, env_vars=env_vars)
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._manifest: Manifest | None = None

    @property
    def path(self) -> Path:
        """The manifest file."""
        return self._path

    def manifest(self) -> Manifest:
        """The manifest of this moment. Raises ``ManifestInvalid`` with every problem in it."""
        stamps = tuple(_stamp(path) for path in self.files())
        if self._manifest is None or stamps != self._seen:
            self._manifest = None
            self._manifest = manifest.load(self._path, self._options)
            self._seen = tuple(_stamp(path) for path in self.files())
        return self._manifest

    def files(self) -> tuple[Path, ...]:
        """The manifest and the files it names that change what it means (``env_file:``)."""
        own = [self._path]
        if self._options.env_vars is not None:
            own.append(self._options.env_vars)
        if self._manifest is not None:
            own.extend(self._manifest.env_files)
        return tuple(own)

    def function(self, name: str) -> Function:
        """One function of the manifest. Raises ``CallerError`` with the nearest name as a hint."""
        functions = self.manifest().functions
        if name in functions:
            return functions[name]
        raise CallerError(
            "function-not-found",
            f"function `{name}` is not in {self._path.name}",
            _nearest(name, functions),
        )


def _nearest(name: str, functions: Mapping[str, Function]) -> str:
    near = difflib.get_close_matches(name, functions, n=1)
    if not near:
        return f"it defines {', '.join(f'`{known}`' for known in functions) or 'no function'}"
    line = functions[near[0]].line
    where = "" if line is None else f" It is defined at line {line}"
    return f"did you mean `{near[0]}`?{where}"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
