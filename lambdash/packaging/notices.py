"""What is worth saying about a package before anything runs, and the one thing AWS refuses."""

from pathlib import Path

from lambdash.errors import CallerError
from lambdash.model import FunctionConfiguration
from lambdash.packaging.target import Family, Target
from lambdash.packaging.tree import Entry, Tree, same_but_for_case

_NODE_SUFFIXES = (".js", ".mjs", ".cjs")


def check_bootstrap(folder: Path, target: Target, source: Tree) -> None:
    """``provided`` runtimes start ``/var/task/bootstrap``: it must be there and executable."""
    if target.family is not Family.PROVIDED:
        return
    bootstrap: Entry | None = source.get("bootstrap")
    if bootstrap is None:
        raise bootstrap_missing(f"{folder} holds no")
    if bootstrap.link is None:
        check_executable(folder / "bootstrap", bootstrap.mode)


def bootstrap_missing(who: str) -> CallerError:
    """The error for a provided runtime without its program."""
    return CallerError(
        "bootstrap-missing",
        f"{who} file `bootstrap`, which a provided runtime starts",
        "put the program there under that name; `handler` is only passed to it as _HANDLER",
    )


def check_executable(path: Path, mode: int) -> None:
    """Raise ``CallerError`` unless the program at ``path`` may be executed."""
    if mode != 0o755:
        raise CallerError(
            "bootstrap-not-executable", f"{path} is not executable", f"chmod +x {path}"
        )


def notices(configuration: FunctionConfiguration, target: Target, entries: Tree) -> list[str]:
    """Remarks for the author. A missing handler is the first invocation's error, as on AWS."""
    found = [
        f"`{first}` and `{second}` differ by case only: many machines can hold just one of them"
        for first, second in same_but_for_case(entries.values())
    ]
    candidates = handler_files(configuration.handler, target)
    if candidates and not any(path in entries for path in candidates):
        shown = " nor ".join(f"`{path}`" for path in candidates)
        found.append(f"handler `{configuration.handler}` needs a file that is missing: {shown}")
    return found


def handler_files(handler: str | None, target: Target) -> list[str]:
    """Where the runtime looks for a handler; empty where that is the runtime's own business."""
    module, dot, _ = (handler or "").rpartition(".")
    if not dot:
        return []
    if target.family is Family.PYTHON:
        path = module.replace(".", "/")
        return [f"{path}.py", f"{path}/__init__.py"]
    if target.family is Family.NODE:
        return [f"{module.removeprefix('./')}{suffix}" for suffix in _NODE_SUFFIXES]
    return []
