"""Checks of this machine, a line each, with what to do about what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from lambdash import limits, locations
from lambdash.errors import LambdashError

# name, state (ok, warn or fail), what was found, what to do
Check: TypeAlias = dict[str, Any]


def examine(environ: Mapping[str, str]) -> list[Check]:
    """Every check's outcome; a check that itself breaks is a failed check."""
    return [check for probe in _PROBES for check in _guarded(probe, environ)]


def _guarded(
    probe: Callable[[Mapping[str, str]], Check], environ: Mapping[str, str]
) -> Iterator[Check]:
    try:
        yield probe(environ)
    except LambdashError as error:
        yield _check(probe.__name__.strip("_"), "fail", error.message, error.hint)


def _check(name: str, state: str, found: str, hint: str = "") -> Check:
    return {"name": name, "state": state, "found": found, "hint": hint}


def _python(_: Mapping[str, str]) -> Check:
    return _check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _uv(_: Mapping[str, str]) -> Check:
    from lambdash.packaging.python_dependencies import uv_binary

    return _check("uv", "ok", uv_binary())


def _npm(environ: Mapping[str, str]) -> Check:
    found = {name: shutil.which(name, path=environ.get("PATH")) for name in ("node", "npm")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        hint = "only functions in Node.js need it: https://nodejs.org"
        return _check("npm", "warn", f"no {' and no '.join(missing)} on PATH", hint)
    return _check("npm", "ok", f"{found['npm']}, {found['node']}")


def _docker(_: Mapping[str, str]) -> Check:
    from lambdash.client.machine import detect_engine
    from lambdash.engines.docker.detection import Found, NotInstalled, Refuses

    match detect_engine():
        case Found(address):
            return _check("docker", "ok", f"answers at {address.url}")
        case NotInstalled():
            hint = "functions run as plain processes, without isolation, until one is installed"
            return _check("docker", "warn", "no engine is installed", hint)
        case Refuses(error):
            return _check("docker", "fail", error.message, error.hint)


def _launcher(_: Mapping[str, str]) -> Check:
    from lambdash.engines import launcher

    return _check("launcher", "ok", str(launcher.native()))


def _interpreters(_: Mapping[str, str]) -> Check:
    from lambdash.client.machine import installed_interpreters

    found = [runtime for runtime, _ in installed_interpreters()]
    if not found:
        hint = "images are pulled instead; the process engine needs one"
        return _check("interpreters", "warn", "none of a Lambda runtime's version", hint)
    return _check("interpreters", "ok", ", ".join(found))


def _store(environ: Mapping[str, str]) -> Check:
    folder = Path(locations.store_directory(environ))
    existing = next(each for each in (folder, *folder.parents) if each.is_dir())
    if not os.access(existing, os.W_OK):
        return _check("store", "fail", f"{existing} cannot be written", "set LAMBDASH_STORE")
    free = shutil.disk_usage(existing).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < limits.DISK_FREE_WARN_BYTES:
        return _check("store", "warn", found, "`lambdash prune` frees what no project uses")
    return _check("store", "ok", found)


def _runtime_directory(environ: Mapping[str, str]) -> Check:
    folder = locations.runtime_directory(environ)
    locations.secure_directory(folder, create=True)
    return _check("runtime directory", "ok", folder)


def _kernel(_: Mapping[str, str]) -> Check:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    if Path("/proc/sys/fs/binfmt_misc/WSLInterop").exists():
        system += " (WSL)"
    return _check("system", "ok", system)


_PROBES: tuple[Callable[[Mapping[str, str]], Check], ...] = (
    _kernel,
    _python,
    _uv,
    _npm,
    _docker,
    _launcher,
    _interpreters,
    _store,
    _runtime_directory,
)
