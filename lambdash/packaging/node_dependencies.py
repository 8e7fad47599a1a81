"""``package.json`` installed by npm for the runtime's system, away from the user's folder."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdash import limits
from lambdash.errors import CallerError, PlatformError
from lambdash.packaging.command import Command, Talk, run
from lambdash.packaging.disk import disk_full, is_nearly_full
from lambdash.packaging.target import Target

_INSTALLED = ("dependencies", "optionalDependencies")
_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
_FOREIGN_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
_INPUTS = ("package.json", *_LOCKS, ".npmrc")
_LOCAL = ("file:", "link:", "workspace:", "portal:", "./", "../", "/", "~/")


@dataclass(frozen=True, slots=True)
class NodeDependencies:
    """What one folder asks for, with its fingerprint. ``inputs`` are npm's files by name."""

    folder: Path
    target: Target
    variables: Mapping[str, str]
    inputs: Mapping[str, bytes]
    fingerprint: str

    @property
    def is_locked(self) -> bool:
        return any(name in self.inputs for name in _LOCKS)

    async def install(self, staged: Path, talk: Talk) -> None:
        """Fill ``staged/tree/node_modules``. Raises ``CallerError`` (dependencies-failed).

        No install script runs: it would run on this machine, for this machine.
        """
        tree = staged / "tree"
        tree.mkdir()
        for name, content in self.inputs.items():
            (tree / name).write_bytes(content)
        ended = await run(Command(self._arguments(), tree, self.variables), talk)
        if ended.exit_code:
            if is_nearly_full(staged):
                raise disk_full(staged)
            raise self._failed("\n".join(ended.lines))
        skipped = _with_scripts(tree)
        if skipped:
            talk(f"notice: install scripts are not run; {', '.join(skipped)} may need theirs")

    def _arguments(self) -> list[str]:
        npm = shutil.which("npm", path=self.variables.get("PATH"))
        if npm is None:
            raise PlatformError(
                "npm-missing",
                f"{self.folder / 'package.json'} has dependencies, but npm is not installed",
                "install Node.js with npm, or put node_modules into the folder and take "
                "`dependencies` out of package.json",
            )
        verb = ["ci"] if self.is_locked else ["install", "--no-package-lock"]
        return [
            *(npm, *verb, "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"),
            *("--no-update-notifier", "--progress=false", "--loglevel=error", "--no-color"),
            *("--os=linux", f"--cpu={self.target.node_cpu}", "--libc=glibc"),
        ]

    def _failed(self, lines: str) -> CallerError:
        return CallerError(
            "dependencies-failed",
            f"the dependencies in {self.folder / 'package.json'} cannot be installed:\n{lines}",
            "check package.json, its lock, the network and the registry",
        )


def node_dependencies(
    folder: Path, target: Target, environ: Mapping[str, str]
) -> NodeDependencies | None:
    """What ``folder`` asks for; None when nothing. Raises for forms that are not installed yet."""
    content = _read(folder / "package.json")
    if content is None:
        return None
    package = _parse(folder / "package.json", content)
    wanted = {name: spec for key in _INSTALLED for name, spec in _table(package, key).items()}
    if not wanted:
        return None
    _refuse_other_forms(folder, package, wanted)
    inputs = {name: found for name in _INPUTS if (found := _read(folder / name)) is not None}
    digest = hashlib.sha256(f"node 1 {target.version} {target.node_cpu}\0".encode())
    for name, found in inputs.items():
        digest.update(f"{name}\0{len(found)}\0".encode() + found)
    return NodeDependencies(folder, target, dict(environ), inputs, digest.hexdigest())


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CallerError("package-json-invalid", f"{path}: {error.strerror}", "") from error
    if len(content) > limits.PACKAGE_JSON_MAX_BYTES:
        raise CallerError("package-json-invalid", f"{path} is too large", "")
    return content


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CallerError("package-json-invalid", f"{path} is not JSON: {error}", "") from error
    if not isinstance(document, dict):
        raise CallerError("package-json-invalid", f"{path} is not a JSON object", "")
    return document


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name, {})
    return value if isinstance(value, dict) else {}


def _refuse_other_forms(
    folder: Path, package: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    path = folder / "package.json"
    if package.get("workspaces"):
        raise CallerError(
            "not-supported-yet",
            f"{path} is the root of workspaces, which are not installed yet",
            "name a folder with a package.json of its own in `code:`",
        )
    for name, spec in wanted.items():
        if isinstance(spec, str) and spec.startswith(_LOCAL):
            raise CallerError(
                "not-supported-yet",
                f"{path}: `{name}` is {spec}, and local packages are not installed yet",
                "copy its code into the folder, or name a release in a registry",
            )
    for foreign in _FOREIGN_LOCKS:
        if (folder / foreign).exists() and not any((folder / lock).exists() for lock in _LOCKS):
            raise CallerError(
                "not-supported-yet",
                f"{folder / foreign} is not read yet: npm would install other versions",
                "`npm install --package-lock-only` writes a package-lock.json",
            )


def _with_scripts(tree: Path) -> list[str]:
    """The installed packages whose install scripts did not run, by npm's own record."""
    record = tree / "node_modules" / ".package-lock.json"
    try:
        packages = json.loads(record.read_bytes()).get("packages", {})
    except (FileNotFoundError, ValueError):
        return []
    return sorted(
        path.rpartition("node_modules/")[2]
        for path, package in packages.items()
        if package.get("hasInstallScript")
    )


def normalise(tree: Path) -> None:
    """Keep ``node_modules`` alone, without npm's own record of where it came from."""
    for name in _INPUTS:
        (tree / name).unlink(missing_ok=True)
    (tree / "node_modules").mkdir(exist_ok=True)
    (tree / "node_modules" / ".package-lock.json").unlink(missing_ok=True)
    shutil.rmtree(tree / "node_modules" / ".cache", ignore_errors=True)
