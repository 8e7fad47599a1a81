"""The runtime client as a folder: what ``LAMBDA_RUNTIME_DIR`` is outside an official image.

Python: AWS's own ``awslambdaric``, installed by uv, and a ``bootstrap.py`` that sets up the path
as AWS's does. Node: our own small client (npm's ``aws-lambda-ric`` needs a C++ tool-chain).
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uv

from lambdash import limits, locations
from lambdash.engines.images.interpreters import find_interpreter
from lambdash.engines.images.table import Family, Runtime, runtime_named
from lambdash.errors import PlatformError

_HERE = Path(__file__).parent
_SHIPPED = {Family.PYTHON: _HERE / "python", Family.NODEJS: _HERE / "node"}
# awslambdaric's compiled module comes as wheels for Linux alone
_FALLBACK = _HERE / "python_fallback" / "runtime_client.py"
_CLIENT_REQUIREMENT = "awslambdaric>=4,<5"
# what the managed Python runtimes bring besides the client
BUNDLED_ON_AWS = ("boto3",)


@dataclass(frozen=True, slots=True)
class UvOptions:
    """What the user's configuration adds to a uv call: indexes, proxies, certificates.

    ``arguments`` follow ``uv pip install``; ``variables`` are laid over this process's own.
    """

    arguments: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def default_cache_dir() -> Path:
    """Where runtime clients are kept: beside the packages of the shared store."""
    return Path(locations.store_directory(os.environ))


def runtime_client_tree(
    runtime: str,
    cache_dir: Path,
    uv_options: UvOptions | None = None,
    extra_requirements: tuple[str, ...] = BUNDLED_ON_AWS,
) -> Path:
    """A read-only folder with the runtime's client, made on first use. Blocking (1 to 4 s once).

    For Python the host's interpreter of exactly that version decides the wheels. The folder's name
    holds a hash of all that decides its content, and it appears by one rename.

    Raises:
        PlatformError: ``interpreter-missing`` (no such interpreter here, or a runtime that has no
            client), ``runtime-client-failed`` (uv could not install it).
    """
    wanted = runtime_named(runtime)
    interpreter = find_interpreter(runtime)
    if interpreter is None:
        raise interpreter_missing(wanted)
    home = cache_dir / "runtime-clients"
    final = home / client_name(wanted, extra_requirements)
    if final.is_dir():
        return final
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _scratch_folder(home) as scratch:
            tree = scratch / "tree"
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_SHIPPED[wanted.family], tree, ignore=ignored)
            if wanted.family is Family.PYTHON:
                requirements = (_CLIENT_REQUIREMENT, *extra_requirements)
                _install(interpreter, tree, requirements, uv_options or UvOptions())
            _publish(tree, final)
    except OSError as error:
        text = f"{home} could not be written: {error}"
        hint = "free some space, or choose another folder with LAMBDASH_STORE"
        raise PlatformError("runtime-client-failed", text, hint) from error
    return final


def runtime_command(runtime: str, tree: Path) -> tuple[str, ...]:
    """The command that starts the client of ``runtime_client_tree`` with the host's interpreter.

    It reads ``_HANDLER``, ``AWS_LAMBDA_RUNTIME_API``, ``LAMBDA_TASK_ROOT`` and
    ``LAMBDA_RUNTIME_DIR``.
    """
    wanted = runtime_named(runtime)
    interpreter = find_interpreter(runtime)
    if interpreter is None:
        raise interpreter_missing(wanted)
    program = "bootstrap.py" if wanted.family is Family.PYTHON else "index.mjs"
    return (str(interpreter), str(tree / program))


def interpreter_missing(wanted: Runtime) -> PlatformError:
    """The error for a runtime that this machine cannot run by itself."""
    name = {Family.PYTHON: "Python", Family.NODEJS: "Node.js"}.get(wanted.family)
    if name is None:
        return PlatformError(
            "interpreter-missing",
            f"{wanted.identifier} has no client that lambdash can start by itself",
            f"it runs in a container of `{wanted.image}`, where that image can be had",
        )
    return PlatformError(
        "interpreter-missing",
        f"no {name} {wanted.version} was found on this machine for {wanted.identifier}",
        f"install {name} {wanted.version}, or choose a runtime whose version is installed",
    )


def client_name(wanted: Runtime, extra_requirements: tuple[str, ...] = BUNDLED_ON_AWS) -> str:
    """The name of the runtime client's folder, which changes with all that decides its content."""
    folder = _SHIPPED[wanted.family]
    files = [*sorted(path for path in folder.iterdir() if path.is_file()), _FALLBACK]
    document = {
        "requirements": [_CLIENT_REQUIREMENT, *extra_requirements],
        "platform": [platform.system(), platform.machine(), *platform.libc_ver()],
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return f"{wanted.identifier}-{digest[:16]}"


@contextmanager
def _scratch_folder(home: Path) -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=home))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _publish(tree: Path, final: Path) -> None:
    """Rename into place; another process that was first has made the same."""
    try:
        tree.rename(final)
    except OSError:
        if not final.is_dir():
            raise


def _install(
    interpreter: Path, tree: Path, requirements: tuple[str, ...], options: UvOptions
) -> None:
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--target", str(tree)]
    command += ["--python", str(interpreter), "--no-python-downloads", "--link-mode", "copy"]
    if platform.system() == "Linux":
        command += ["--only-binary", ":all:"]
    _run([*command, *options.arguments, *requirements], dict(options.variables))
    (tree / ".lock").unlink(missing_ok=True)
    if not any(tree.glob("runtime_client.*")):
        shutil.copy(_FALLBACK, tree)
    # unchecked: valid whatever happens to the files' times on their way into an image
    compile_all = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(tree)]
    _run([str(interpreter), "-I", *compile_all], {})


def _run(command: list[str], variables: dict[str, str]) -> None:
    try:
        run = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, **variables},
            timeout=limits.RUNTIME_CLIENT_INSTALL_MAX_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _install_failed(str(error)) from error
    if run.returncode != 0:
        raise _install_failed(run.stdout.strip()[-limits.TOOL_OUTPUT_KEPT_CHARS :])


def _install_failed(output: str) -> PlatformError:
    return PlatformError(
        "runtime-client-failed",
        f"the Python runtime client could not be installed:\n{output}",
        "it comes from PyPI once for each Python version: check the network and the index settings",
    )
