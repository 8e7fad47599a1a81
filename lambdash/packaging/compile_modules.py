"""Run as a program by the interpreter whose bytecode is wanted, any Python from 3.8 on.

``compile_modules.py IDENTITY TREE PREFIX WORKER WORKERS`` compiles every ``WORKERS``-th module
below ``TREE`` and says how many it wrote. Tracebacks name a module ``PREFIX/<path in the tree>``.
What does not compile is left out. Exit code 3: this interpreter is not the one called ``IDENTITY``.

Equal sources give equal bytes, wherever and in whatever company they are compiled: run it with
``PYTHONHASHSEED=0``.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this folder: its names must not stand before the standard library's

import importlib.util
import marshal
import os
from types import CodeType

_OTHER_INTERPRETER = 3
# https://peps.python.org/pep-0552/: hash-based, never checked against the source
_UNCHECKED_HASH = (1).to_bytes(4, "little")
_SETS_ARE_SORTED = sys.version_info >= (3, 11)


class _NotReproducible(Exception):
    """A constant that this interpreter writes in an order that differs from run to run."""


def identity() -> str:
    """Everything that decides about the bytes: exact version, name in the cache, magic number."""
    version = ".".join(str(part) for part in sys.version_info)
    tag = sys.implementation.cache_tag
    return f"{version} {tag} {importlib.util.MAGIC_NUMBER.hex()}"


def modules_of(tree: str) -> list[str]:
    """Paths in the tree, the largest first, so that workers taking turns have equal shares."""
    found = []
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".py") and not os.path.islink(path):
                found.append((-os.path.getsize(path), os.path.relpath(path, tree)))
    return [path for _, path in sorted(found)]


def compile_module(tree: str, path: str, prefix: str) -> bool:
    """Write one module's bytecode beside it; False when it does not compile."""
    with open(os.path.join(tree, path), "rb") as file:
        source = file.read()
    try:
        code = compile(source, f"{prefix}/{path}", "exec", dont_inherit=True, optimize=0)
        content = _dump(code)
    except Exception:
        return False
    folder, name = os.path.split(os.path.join(tree, path))
    cache = os.path.join(folder, "__pycache__")
    os.makedirs(cache, exist_ok=True)
    target = os.path.join(cache, f"{name[:-3]}.{sys.implementation.cache_tag}.pyc")
    with open(target, "xb") as file:
        file.write(importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH)
        file.write(importlib.util.source_hash(source) + content)
    return True


def _dump(code: CodeType) -> bytes:
    """``marshal`` notes of each constant whether anyone else holds it: see that one always does.

    The bytes would depend on what else was compiled (https://github.com/python/cpython/issues/78274).
    """
    held: list[object] = []
    _hold(code, held)
    return marshal.dumps(code)


def _hold(value: object, held: list[object]) -> None:
    held.append(value)
    if isinstance(value, CodeType):
        held.extend((value.co_name, value.co_filename, getattr(value, "co_qualname", None)))
        for names in (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars):
            held.extend(names)
        _hold(value.co_consts, held)
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            if isinstance(value, frozenset) and not _SETS_ARE_SORTED and not _has_fixed_hash(item):
                raise _NotReproducible
            _hold(item, held)


def _has_fixed_hash(item: object) -> bool:
    return isinstance(item, (str, bytes, int, float, complex))


def main(arguments: list[str]) -> int:
    """The program; its exit code."""
    wanted, tree, prefix, worker, workers = arguments
    if identity() != wanted:
        return _OTHER_INTERPRETER
    mine = modules_of(tree)[int(worker) :: int(workers)]
    written = sum(compile_module(tree, path, prefix) for path in mine)
    sys.stdout.write(f"{written}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
