"""Dependencies' bytecode, compiled once by this machine's interpreter of the runtime's version.

A package's folder is read-only where it runs, so without this each cold start compiles every module
that it imports again. The result does not depend on this machine: see ``compile_modules``.
"""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from lambdash import limits
from lambdash.engines.images.runtimes import RUNTIMES, find_interpreter
from lambdash.errors import PlatformError
from lambdash.packaging import compile_modules
from lambdash.packaging.command import Command, Talk, run
from lambdash.packaging.disk import remove_tree
from lambdash.packaging.single_flight import in_thread
from lambdash.packaging.target import Family, Target
from lambdash.packaging.tree import Entry, Tree

SWITCH = "LAMBDASH_BYTECODE"
_FOLDER = "__pycache__"
_PREFIX = "/var/task"
_PROGRAM = Path(compile_modules.__file__)
# -S: no site-packages of the machine, -s: none of the user, -B: nothing written beside the program
_OPTIONS = ("-S", "-s", "-B", "-W", "ignore")
_VARIABLES = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}

FindInterpreter: TypeAlias = Callable[[str], Path | None]
"""An executable of exactly a runtime's version, such as ``python3.12``, or None."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """An interpreter. ``identity`` says everything about it that the bytes depend on."""

    interpreter: Path
    identity: str


class _CompilerFailed(Exception):
    """An interpreter did not do as asked."""


class Compilers:
    """This machine's compilers by version, each looked for once: a search starts processes."""

    def __init__(
        self, environ: Mapping[str, str], find: FindInterpreter = find_interpreter
    ) -> None:
        self._wanted = environ.get(SWITCH) != "0"
        self._find = find
        self._found: dict[str, Compiler | None] = {}
        self._lock = Lock()

    def compiler(self, target: Target) -> Compiler | None:
        """Blocking. None: nothing is compiled for this target on this machine."""
        runtime = f"python{target.version}"
        if not self._wanted or target.family is not Family.PYTHON or runtime not in RUNTIMES:
            return None
        with self._lock:
            if runtime not in self._found:
                self._found[runtime] = _named(self._find(runtime))
            return self._found[runtime]


def _named(interpreter: Path | None) -> Compiler | None:
    if interpreter is None:
        return None
    question = f"import runpy; print(runpy.run_path({str(_PROGRAM)!r})['identity']())"
    try:
        answer = subprocess.run(
            [str(interpreter), *_OPTIONS, "-c", question],
            capture_output=True,
            check=True,
            cwd="/",
            env=_VARIABLES,
            stdin=subprocess.DEVNULL,
            timeout=limits.INTERPRETER_ANSWER_MAX_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Compiler(interpreter, answer.stdout.decode(errors="replace").strip())


async def compile_tree(compiler: Compiler, tree: Path, talk: Talk) -> bool:
    """Compile every module below ``tree`` in place; on False nothing was.

    A module that does not compile is left out. Never raises for what went wrong: it is told.
    """
    workers = await in_thread(lambda: _workers(tree))
    try:
        async with asyncio.TaskGroup() as group:
            shares = [
                group.create_task(_compile_share(compiler, tree, worker, workers))
                for worker in range(workers)
            ]
    except* (_CompilerFailed, OSError, PlatformError) as errors:
        failure: str | None = str(errors.exceptions[0])
    else:
        failure = None
    if failure is None:
        talk(f"compiled {sum(share.result() for share in shares):,} modules")
        return True
    await in_thread(lambda: _remove_bytecode(tree))
    talk(f"left uncompiled: {failure}")
    return False


async def _compile_share(compiler: Compiler, tree: Path, worker: int, workers: int) -> int:
    """How many modules were compiled. Raises what ``compile_tree`` tells."""
    program = (str(compiler.interpreter), *_OPTIONS, str(_PROGRAM))
    arguments = (compiler.identity, str(tree), _PREFIX, str(worker), str(workers))
    command = Command((*program, *arguments), Path("/"), _VARIABLES, limits.BYTECODE_TIMEOUT_S)
    ended = await run(command, lambda line: None)
    said = ended.lines[-1] if ended.lines else ""
    if ended.exit_code or not said.isdecimal():
        what = f"{compiler.interpreter} ended with exit code {ended.exit_code}: {said}"
        raise _CompilerFailed(what)
    return int(said)


def _workers(tree: Path) -> int:
    """As many as have enough to do, and never more than there are processors for this process."""
    modules = sum(1 for _ in tree.rglob("*.py"))
    may_choose = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if may_choose else os.cpu_count() or 1
    return max(1, min(processors, modules // limits.BYTECODE_MODULES_PER_WORKER_MIN))


def _remove_bytecode(tree: Path) -> None:
    for folder in list(tree.rglob(_FOLDER)):
        remove_tree(folder)


def without_bytecode(entries: Tree) -> dict[str, Entry]:
    """A dependency tree as it was before it was compiled: an installed one has no such folders."""
    return {path: entry for path, entry in entries.items() if not _is_bytecode(path)}


def _is_bytecode(path: str) -> bool:
    return path.startswith(f"{_FOLDER}/") or f"/{_FOLDER}/" in path


def without_stale_bytecode(below: Tree, above: Iterable[str]) -> Tree:
    """``below`` without the bytecode of modules that ``above`` replaces.

    Bytecode is never checked against the source: that of a replaced module would run in its stead.
    """
    replaced = {path[:-3] for path in above if path.endswith(".py") and path in below}
    if not replaced:
        return below
    return {
        path: entry
        for path, entry in below.items()
        if not (_is_bytecode(path) and _module_of(path) in replaced)
    }


def _module_of(path: str) -> str:
    """``a/__pycache__/b.cpython-312.pyc`` gives ``a/b``."""
    folder, _, name = path.rpartition("/")
    module = name.rsplit(".", 2)[0]
    return f"{folder.removesuffix(_FOLDER)}{module}"
