"""The project templates: where they lie, and writing one into a folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import lambdash
from lambdash.client.machine import base_image, newest_runnable
from lambdash.errors import CallerError, PlatformError


@dataclass(frozen=True, slots=True)
class Template:
    """One folder of the templates.

    ``function`` is the only one in its manifest; ``events/FUNCTION.json`` is its sample event.
    """

    description: str
    function: str = "hello"
    runtime_family: str = "python"


TEMPLATES = {
    "python": Template("A Python function; nothing to install."),
    "python-deps": Template("Python with dependencies from requirements.txt."),
    "node": Template("A Node.js function; no package.json needed.", runtime_family="nodejs"),
    "http-api": Template("An HTTP API in Python, with routes.", function="notes"),
    "fastapi": Template("A FastAPI application, unmodified.", function="api"),
    "sqs-worker": Template("A Python worker for a queue with dead letters.", function="worker"),
    "provided-shell": Template(
        "A custom runtime: a shell script and curl.", runtime_family="provided"
    ),
    "container-image": Template("A function built from a Dockerfile."),
}
_RUNTIME = re.compile(r"(?<=runtime: )(python3\.\d+|nodejs\d+\.x)")
_BUILT_RUNTIME = re.compile(r"(?<=image build )python3\.\d+")
_BASE = re.compile(r"(?<=BASE: )\S+")
_LEFT_OUT = {"__pycache__", ".lambdash"}


def root() -> Path:
    """The templates' folder: inside an installed wheel, or beside the package in a checkout."""
    for candidate in (
        files(lambdash) / "templates",
        Path(lambdash.__file__).parents[1] / "templates",
    ):
        if (candidate / "python").is_dir():
            return Path(str(candidate))
    raise PlatformError(
        "templates-missing", "this installation has no templates", "install lambdash again"
    )


def write(template: str, target: Path) -> dict[str, Any]:
    """Write a template's files below ``target``, with a runtime that this machine can run.

    Raises ``CallerError``: ``template-not-found``, or ``file-exists`` before anything was written.
    """
    if template not in TEMPLATES:
        raise _not_found(template, target)
    contents = dict(_contents(root() / template))
    _refuse_existing(target, contents)
    runtime = newest_runnable(TEMPLATES[template].runtime_family)
    base = base_image(runtime)
    try:
        for name, (content, mode) in contents.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_substituted(name, content, runtime, base))
            path.chmod(mode)
    except OSError as error:
        message = f"{error.filename} cannot be written: {error.strerror}"
        raise PlatformError("template-not-written", message, "check the folder") from error
    return {
        "template": template,
        "folder": str(target),
        "function": TEMPLATES[template].function,
        "runtime": runtime,
        "files": sorted(contents),
    }


def _not_found(template: str, target: Path) -> CallerError:
    """A name that is near to none is a folder's, where no folder was named."""
    near = difflib.get_close_matches(template, TEMPLATES, 1)
    if near:
        hint = f"did you mean `{near[0]}`?"
    elif target == Path():
        hint = f"a project in the folder `{template}`: `lambdash init python {template}`"
    else:
        hint = f"there are: {', '.join(TEMPLATES)}"
    return CallerError("template-not-found", f"there is no template `{template}`", hint)


def _contents(folder: Path) -> Mapping[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes(),
            0o755 if path.name == "bootstrap" else 0o644,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _LEFT_OUT & set(path.relative_to(folder).parts)
    }


def _refuse_existing(target: Path, names: Mapping[str, object]) -> None:
    taken = [name for name in names if (target / name).exists() or (target / name).is_symlink()]
    if target.exists() and not target.is_dir():
        taken = [target.name]
    if taken:
        raise CallerError(
            "file-exists",
            f"{target} has files that would be overwritten: {', '.join(taken[:5])}",
            "name a new folder: `lambdash init TEMPLATE DIR`",
        )


def _substituted(name: str, content: bytes, runtime: str, base: str) -> bytes:
    if name != "lambdash.yaml":
        return content
    text = _RUNTIME.sub(runtime, content.decode())
    return _BASE.sub(base, _BUILT_RUNTIME.sub(runtime, text)).encode()
