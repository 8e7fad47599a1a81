"""Finding this machine's own interpreter of exactly one version, and proving it by running it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from lambdash import limits
from lambdash.engines.images.table import Family, Runtime, runtime_named

_ASK_PYTHON = (
    "import json, sys; print(json.dumps({"
    "'version': '%d.%d' % sys.version_info[:2],"
    "'executable': getattr(sys, '_base_executable', None) or sys.executable,"
    "'usable': sys.implementation.name == 'cpython' and 't' not in sys.abiflags,"
    "'virtual': sys.prefix != sys.base_prefix}))"
)
_ASK_NODE = (
    "console.log(JSON.stringify({version: process.versions.node.split('.')[0],"
    "executable: process.execPath, usable: true, virtual: false}))"
)
_SYSTEM_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin")


@dataclass(frozen=True, slots=True)
class _Answer:
    version: str
    executable: Path
    usable: bool
    virtual: bool


def find_interpreter(runtime: str) -> Path | None:
    """The real executable of exactly the runtime's version on this machine, or None. Blocking.

    Python must match in major and minor, Node in major; another version is never returned. Each
    candidate is run once (``limits.INTERPRETER_ANSWER_MAX_S``) and remembered until it changes.
    A virtual environment's Python stands for its base; shims (scripts) are skipped. Runtimes
    without a single host interpreter (``provided.*``, Java, .NET, Ruby) give None.

    Raises:
        CallerError: ``runtime-unknown``.
    """
    wanted = runtime_named(runtime)
    if wanted.family not in (Family.PYTHON, Family.NODEJS):
        return None
    for candidate in _candidates(wanted):
        found = _proven(candidate, wanted)
        if found is not None:
            return found
    return None


def _candidates(wanted: Runtime) -> Iterator[Path]:
    home = Path.home()
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    if wanted.family is Family.PYTHON:
        names = [f"python{wanted.version}", "python3", "python"]
        managed = _managed_pythons(home, wanted.version)
    else:
        names = ["node", f"node{wanted.version}", f"node-{wanted.version}", "nodejs"]
        managed = _managed_nodes(home, wanted.version)
    shims_stand_for = [path.parent for path in managed]
    for folder in chain(folders, shims_stand_for, map(Path, _SYSTEM_FOLDERS)):
        # a version manager's shims are scripts that choose by folder: ask its versions instead
        actual = shims_stand_for if folder.name == "shims" else [folder]
        yield from (place / name for place in actual for name in names)


def _managed_pythons(home: Path, version: str) -> list[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", data / "uv" / "python"))
    name = f"python{version}"
    return [
        *_newest_first(pyenv / "versions", f"{version}.*/bin/{name}"),
        *_newest_first(uv, f"cpython-{version}.*/bin/{name}"),
        *_newest_first(Path("/opt/homebrew/opt"), f"python@{version}/bin/{name}"),
    ]


def _managed_nodes(home: Path, version: str) -> list[Path]:
    nvm = Path(os.environ.get("NVM_DIR", home / ".nvm"))
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
    return [
        *_newest_first(nvm / "versions" / "node", f"v{version}.*/bin/node"),
        *_newest_first(data / "fnm" / "node-versions", f"v{version}.*/installation/bin/node"),
        *_newest_first(home / ".nodenv" / "versions", f"{version}.*/bin/node"),
        *_newest_first(Path("/opt/homebrew/opt"), f"node@{version}/bin/node"),
    ]


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda path: (len(str(path)), str(path)), reverse=True)


def _proven(candidate: Path, wanted: Runtime) -> Path | None:
    answer = _ask(candidate, wanted.family)
    if answer is not None and answer.virtual:
        answer = _ask(answer.executable, wanted.family)
    if answer is None or answer.virtual or not answer.usable:
        return None
    if answer.version != wanted.version:
        return None
    return Path(os.path.realpath(answer.executable))


def _ask(candidate: Path, family: Family) -> _Answer | None:
    try:
        status = candidate.stat()
        with candidate.open("rb") as file:
            is_script = file.read(2) == b"#!"
    except OSError:
        return None
    if is_script or not os.access(candidate, os.X_OK):
        return None
    return _run(str(candidate), family, status.st_mtime_ns)


@lru_cache(maxsize=limits.INTERPRETERS_REMEMBERED)
def _run(candidate: str, family: Family, _changed_ns: int) -> _Answer | None:
    question = ["-I", "-c", _ASK_PYTHON] if family is Family.PYTHON else ["-e", _ASK_NODE]
    variables = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    try:
        run = subprocess.run(
            [candidate, *question],
            capture_output=True,
            check=True,
            env=variables,
            stdin=subprocess.DEVNULL,
            timeout=limits.INTERPRETER_ANSWER_MAX_S,
        )
        said = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return _Answer(said["version"], Path(said["executable"]), said["usable"], said["virtual"])


def which_on_host(name: str) -> Path | None:
    """A command's real file on PATH or in the usual folders, or None."""
    searched = os.pathsep.join([os.environ.get("PATH", ""), *_SYSTEM_FOLDERS, "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=searched)
    return None if found is None else Path(found)
