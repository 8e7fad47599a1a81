"""The shell and the few tools an image needs: busybox where it is static, else this machine's."""

import os
import subprocess
from pathlib import Path

from lambdash import limits
from lambdash.engines.images.interpreters import which_on_host
from lambdash.engines.images.layout import Layout, Link
from lambdash.errors import PlatformError

# fmt: off
_TOOLS = (
    "[", "awk", "base64", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "df", "dirname",
    "du", "echo", "env", "expr", "false", "find", "grep", "gzip", "head", "hostname", "id",
    "kill", "ln", "ls", "md5sum", "mkdir", "mkfifo", "mktemp", "mv", "nproc", "od", "printenv",
    "printf", "ps", "pwd", "readlink", "realpath", "rm", "rmdir", "sed", "seq", "sha256sum",
    "sleep", "sort", "stat", "stty", "sync", "tail", "tar", "tee", "test", "timeout", "touch",
    "tr", "true", "tty", "uname", "uniq", "wc", "whoami", "xargs", "yes", ").split(",
)
# fmt: on


def shell_sources() -> dict[str, Path]:
    """Commands for ``/usr/bin`` by name, ``sh`` among them, with the real file of each."""
    busybox = which_on_host("busybox")
    if busybox is not None and _is_static(busybox):
        return {"busybox": busybox}
    shell = which_on_host("dash") or which_on_host("bash") or which_on_host("sh")
    if shell is None:
        raise PlatformError("host-image-failed", "this machine has no shell", "install dash")
    found = {name: which_on_host(name) for name in _TOOLS}
    tools = {name: Path(os.path.realpath(path)) for name, path in found.items() if path is not None}
    return {"sh": Path(os.path.realpath(shell)), **tools}


def lay_shell_into(layout: Layout, sources: dict[str, Path]) -> None:
    """Commands in ``/usr/bin``, with ``/bin`` a link to it."""
    layout.add("/bin", Link("usr/bin"))
    layout.add("/sbin", Link("usr/sbin"))
    layout.add("/usr/sbin/nologin", Link("../bin/false"))
    for name, source in sources.items():
        layout.add_file(f"/usr/bin/{name}", source)
    if busybox := sources.get("busybox"):
        listed = _output([str(busybox), "--list"]).split()
        for name in {"sh", *listed} - {"busybox"}:
            layout.add(f"/usr/bin/{name}", Link("busybox"))


def _is_static(program: Path) -> bool:
    return "=>" not in _output(["ldd", str(program)])


def _output(command: list[str]) -> str:
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=limits.INTERPRETER_ANSWER_MAX_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout
