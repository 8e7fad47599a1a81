"""``requirements.txt`` installed by uv for the runtime's own Python, architecture and glibc."""

import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uv

from lambdash import limits
from lambdash.errors import CallerError, PlatformError
from lambdash.packaging.bytecode import Compiler
from lambdash.packaging.command import Command, Talk, run
from lambdash.packaging.disk import disk_full, is_nearly_full
from lambdash.packaging.pip_configuration import Translation, translate
from lambdash.packaging.target import Target

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?=[^-\s]))(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)\b")
_LOCAL = re.compile(r"\.{0,2}/|\.{1,2}$|file:|[^\s:]+\.whl(?:\s|$)|[^#]*@\s*(?:file:|\.{0,2}/)")

# These would lead uv to another interpreter, another folder or the host's bytecode.
_NOT_FOR_UV = frozenset(
    {
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_PROJECT",
        "UV_WORKING_DIR",
        "UV_WORKING_DIRECTORY",
        "UV_COMPILE_BYTECODE",
        "UV_BREAK_SYSTEM_PACKAGES",
        "UV_LINK_MODE",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PYTHONHOME",
        "PYTHONPATH",
    }
)


@dataclass(frozen=True, slots=True)
class PythonDependencies:
    """What one folder asks for. ``uncompiled`` is the fingerprint without ``compiler``."""

    folder: Path
    target: Target
    translation: Translation
    variables: Mapping[str, str]
    uncompiled: str
    compiler: Compiler | None = None

    @property
    def fingerprint(self) -> str:
        if self.compiler is None:
            return self.uncompiled
        return hashlib.sha256(f"{self.uncompiled} {self.compiler.identity}".encode()).hexdigest()

    async def install(self, staged: Path, talk: Talk) -> None:
        """Fill ``staged/tree``; ``CallerError`` (dependencies-failed) has uv's last words."""
        if self.translation.options:
            talk(f"using pip's configuration for {', '.join(self.translation.options)}")
        tree = staged / "tree"
        ended = await run(Command(self._arguments(tree), self.folder, self.variables), _terse(talk))
        if ended.exit_code:
            if is_nearly_full(staged):
                raise disk_full(staged)
            raise self._failed(ended.exit_code, ended.lines)

    def _arguments(self, tree: Path) -> list[str]:
        return [
            *(uv_binary(), "pip", "install", "--requirements", "requirements.txt"),
            *("--target", str(tree), "--link-mode", "copy", "--color", "never"),
            *("--python", sys.executable, "--python-version", self.target.version),
            *("--python-platform", self.target.python_platform, "--only-binary", ":all:"),
            *self.translation.arguments,
        ]

    def _failed(self, exit_code: int, lines: tuple[str, ...]) -> CallerError:
        said = "\n".join(lines) or f"uv ended with exit code {exit_code}"
        glibc = ".".join(str(part) for part in self.target.glibc)
        hint = (
            "check the names and versions in requirements.txt; every package needs a wheel for "
            f"Python {self.target.version} on {self.target.architecture} with glibc {glibc} or "
            "older, for source distributions are not built yet"
            if exit_code == 1
            else "check requirements.txt, the network and the package index"
        )
        return CallerError(
            "dependencies-failed",
            f"the dependencies in {self.folder / 'requirements.txt'} cannot be installed:\n{said}",
            hint,
        )


def _terse(talk: Talk) -> Talk:
    """uv's lines but for its list of what it installed."""
    return lambda line: None if line.startswith(("+ ", "Using ")) else talk(line)


def uv_binary() -> str:
    """The path of the uv that came with lambdash."""
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise PlatformError(
            "uv-missing",
            "uv, which installs Python dependencies, is not installed beside lambdash",
            "reinstall lambdash with its dependencies, or `pip install uv`",
        ) from error


def python_dependencies(
    folder: Path, target: Target, environ: Mapping[str, str]
) -> PythonDependencies | None:
    """What ``folder`` asks for; None when nothing. Raises for forms that are not installed yet."""
    inputs = requirement_files(folder)
    if not inputs:
        _refuse_other_forms(folder)
        return None
    if not any(_requirements(content) for content in inputs.values()):
        return None
    translation = translate(environ, folder)
    inherited = {name: value for name, value in environ.items() if name not in _NOT_FOR_UV}
    variables = {**inherited, **translation.variables}
    digest = hashlib.sha256(f"python 1 {target.version} {target.python_platform}\0".encode())
    for path, content in inputs.items():
        digest.update(f"{path}\0{len(content)}\0{content}".encode())
    for name, value in sorted(variables.items()):
        if name.startswith("UV_") and name != "UV_CACHE_DIR":
            digest.update(f"{name}\0{value}\0".encode())
    digest.update(repr(translation.arguments).encode())
    return PythonDependencies(folder, target, translation, variables, digest.hexdigest())


def requirement_files(folder: Path) -> dict[str, str]:
    """``requirements.txt`` and all it includes, by path relative to the folder, with contents."""
    found: dict[str, str] = {}
    pending = ["requirements.txt"]
    while pending:
        relative = os.path.normpath(pending.pop())
        if relative in found:
            continue
        if len(found) >= limits.REQUIREMENTS_INCLUDES_MAX:
            raise _invalid(folder, relative, "more files than lambdash reads are included")
        content = _read(folder, relative)
        if content is None:
            return {}
        found[relative] = content
        for number, line in enumerate(_lines(content), start=1):
            _refuse_local(folder, relative, number, line)
            include = _INCLUDE.match(line)
            if include and "://" not in include[1]:
                pending.append(str(Path(relative).parent / include[1]))
    return found


def _read(folder: Path, relative: str) -> str | None:
    try:
        content = (folder / relative).read_bytes()
        if len(content) > limits.REQUIREMENTS_MAX_BYTES:
            raise _invalid(folder, relative, "the file is too large")
        return content.decode()
    except FileNotFoundError as error:
        if relative == "requirements.txt":
            return None
        raise _invalid(folder, relative, "the file does not exist") from error
    except UnicodeDecodeError as error:
        raise _invalid(folder, relative, "the file is not UTF-8") from error
    except OSError as error:
        raise _invalid(folder, relative, str(error.strerror)) from error


def _invalid(folder: Path, relative: str, what: str) -> CallerError:
    return CallerError("requirements-invalid", f"{folder / relative}: {what}", "")


def _lines(content: str) -> list[str]:
    return [line.strip() for line in content.removeprefix("\ufeff").splitlines()]


def _requirements(content: str) -> list[str]:
    return [line for line in _lines(content) if line and not line.startswith("#")]


def _refuse_local(folder: Path, relative: str, number: int, line: str) -> None:
    if _EDITABLE.match(line) or (_LOCAL.match(line) and not line.startswith("#")):
        raise CallerError(
            "not-supported-yet",
            f"{folder / relative}:{number}: `{line}` is a local project or file, which is not "
            "installed yet",
            "copy its code into the folder, or name a wheel in an index or with --find-links",
        )


def _refuse_other_forms(folder: Path) -> None:
    for name, lists in (("pyproject.toml", _pyproject_lists), ("Pipfile", Path.is_file)):
        if lists(folder / name):
            raise CallerError(
                "not-supported-yet",
                f"{folder / name} lists dependencies, but only requirements.txt is installed yet",
                "`uv export --no-dev --no-emit-project -o requirements.txt`; an empty "
                "requirements.txt says that the function needs none",
            )


def _pyproject_lists(path: Path) -> bool:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise CallerError("pyproject-invalid", f"{path} cannot be read: {error}", "") from error
    poetry = _table(_table(_table(document, "tool"), "poetry"), "dependencies")
    return bool(_table(document, "project").get("dependencies")) or bool(poetry.keys() - {"python"})


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    return value if isinstance(value, dict) else {}


def normalise(tree: Path) -> None:
    """Remove what an installation writes by time or place, so that installing twice gives equals.

    Console scripts are not shipped: their first line names the interpreter of this machine.
    """
    tree.mkdir(exist_ok=True)
    (tree / ".lock").unlink(missing_ok=True)
    _drop_scripts(tree / "bin")
    for cache in list(tree.rglob("__pycache__")):
        shutil.rmtree(cache)
    for metadata in tree.glob("*.dist-info"):
        for name in ("direct_url.json", "uv_cache.json", "uv_build.json"):
            (metadata / name).unlink(missing_ok=True)
        _rewrite_record(tree, metadata / "RECORD")


def _drop_scripts(folder: Path) -> None:
    if not folder.is_dir():
        return
    if not any(path.suffix == ".py" and _is_module(path) for path in folder.iterdir()):
        shutil.rmtree(folder)
        return
    for path in folder.iterdir():
        if path.is_file() and not _is_module(path):
            path.unlink()


def _is_module(path: Path) -> bool:
    """Whether a file of ``bin/`` belongs to an importable package of that name."""
    with path.open("rb") as file:
        return file.read(2) != b"#!"


def _rewrite_record(tree: Path, record: Path) -> None:
    if not record.is_file():
        return
    lines = record.read_text().splitlines(keepends=True)
    kept = [line for line in sorted(lines) if _is_there(tree, line)]
    record.write_text("".join(kept))


def _is_there(tree: Path, line: str) -> bool:
    quoted = line.startswith('"')
    path = line[1:].partition('",')[0] if quoted else line.partition(",")[0]
    return (tree / path.replace('""', '"')).exists()
