"""The launcher's binaries: carried by the package, or compiled once from the source beside them."""

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lambdash.errors import PlatformError

__all__ = ["binary", "native"]

_FOLDER = Path(__file__).resolve().parent
_SOURCES = ("extensions.c", "launcher.c", "process.c", "relay.c")
_HEADERS = ("launcher.h",)
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
_COMPILE_MAX_S = 120
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@functools.cache
def binary(architecture: str) -> Path:
    """The static Linux launcher for ``x86_64`` or ``arm64``, to be mounted into any image.

    Raises ``PlatformError`` when the package carries none and none can be compiled here.
    """
    return _find("linux", architecture)


@functools.cache
def native() -> Path:
    """The launcher that runs on this machine itself, for the process engine."""
    return _find(sys.platform, _machine())


def _machine() -> str:
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)


def _find(system: str, architecture: str) -> Path:
    name = f"launcher-{system}-{architecture}"
    carried = _FOLDER / "bin" / name
    source = _source_digest()
    if carried.is_file() and _made_from(carried) == source:
        return carried
    cached = _cache_folder() / source / name
    if cached.is_file():
        return cached
    if (system, architecture) == (sys.platform, _machine()):
        compiler = shutil.which("cc")
        if compiler is not None:
            return _compile(compiler, cached)
    if carried.is_file():  # of an earlier source, in a checkout; the greeting tells whether it fits
        return carried
    raise PlatformError(
        "launcher-missing",
        f"there is no launcher for {system} on {architecture}",
        "install lambdash from a wheel, or install a C compiler (cc)",
    )


def _made_from(carried: Path) -> str:
    """The digest of the source a carried binary was built from; empty when that is not known."""
    try:
        return carried.with_name(f"{carried.name}.source").read_text().strip()
    except OSError:
        return ""


def _source_digest() -> str:
    """hatch_build.py writes the same beside each binary."""
    digest = hashlib.sha256()
    for name in (*_SOURCES, *_HEADERS):
        digest.update((_FOLDER / name).read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "lambdash" / "launcher"


def _compile(compiler: str, target: Path) -> Path:
    """Compile beside the target and rename, so that two processes at once do no harm."""
    static = ["-static"] if sys.platform == "linux" else []
    sources = [str(_FOLDER / name) for name in _SOURCES]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / target.name
            command = [compiler, *static, *_FLAGS, "-o", str(made), *sources]
            subprocess.run(command, check=True, capture_output=True, timeout=_COMPILE_MAX_S)
            made.chmod(0o755)
            made.replace(target)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-2000:]
        raise PlatformError("launcher-compile", f"the launcher does not compile: {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformError("launcher-compile", f"cannot compile the launcher: {error}") from error
    return target
