"""Moving this machine's Python or Node to ``/var/lang``, where AWS's images have theirs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from lambdash import limits
from lambdash.engines.images.layout import Directory, Layout, Link
from lambdash.errors import PlatformError

_ASK_PYTHON = (
    "import json, ssl, sys, sysconfig; print(json.dumps({"
    "'version': '%d.%d' % sys.version_info[:2],"
    "'stdlib': sysconfig.get_path('stdlib'),"
    "'modules': sysconfig.get_config_var('DESTSHARED') or '',"
    "'certificates': ssl.get_default_verify_paths().openssl_cafile}))"
)
# Debian's Node reads some of its own modules from files
_ASK_NODE = (
    "console.log(JSON.stringify(process.config.variables.node_builtin_shareable_builtins ?? []))"
)
_PYTHON_DROPPED = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "turtle.py",
    "site-packages",
    "dist-packages",
    "sitecustomize.py",
    "EXTERNALLY-MANAGED",
}
_PYTHON_DROPPED_SUFFIXES = (".a", ".o", ".opt-1.pyc", ".opt-2.pyc", ".whl")
_PYTHON_DROPPED_PREFIXES = ("config-", "_tkinter.", "_test", "xxlimited")


def lay_python_into(layout: Layout, interpreter: Path, certificates_at: str) -> list[Path]:
    """The interpreter and its standard library; returns what needs shared libraries.

    Python finds ``/var/lang`` by itself: it looks for ``lib/pythonX.Y/os.py`` above its program.
    """
    facts = _ask([str(interpreter), "-I", "-c", _ASK_PYTHON])
    name = f"python{facts['version']}"
    layout.add_file(f"/var/lang/bin/{name}", interpreter)
    layout.add("/var/lang/bin/python3", Link(name))
    layout.add("/var/lang/bin/python", Link(name))
    library = f"/var/lang/lib/{name}"
    layout.add_tree(library, Path(facts["stdlib"]), _kept_of_python)
    layout.add(f"{library}/site-packages", Directory())
    modules = Path(facts["modules"])
    if modules.is_dir():
        layout.add_tree(f"{library}/lib-dynload", modules, _kept_of_python)
    # where this build of OpenSSL looks by itself
    if facts["certificates"]:
        layout.add(facts["certificates"], Link(certificates_at))
    extensions = [path for path in sorted(modules.glob("*.so")) if _kept_of_python(Path(path.name))]
    return [interpreter, *extensions]


def lay_node_into(layout: Layout, interpreter: Path) -> list[Path]:
    """The one program that Node is, with the module files some distributions keep beside it."""
    layout.add_file("/var/lang/bin/node", interpreter)
    for entry in map(Path, _ask([str(interpreter), "-e", _ASK_NODE])):
        if entry.is_file():
            layout.add_file(str(entry), entry)
        elif entry.is_dir():
            layout.add_tree(str(entry), entry, lambda _: True)
    return [interpreter]


def _kept_of_python(path: Path) -> bool:
    name = path.name
    return (
        name not in _PYTHON_DROPPED
        and not name.startswith(_PYTHON_DROPPED_PREFIXES)
        and not name.endswith(_PYTHON_DROPPED_SUFFIXES)
    )


def _ask(command: list[str]) -> Any:
    variables = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            check=True,
            env=variables,
            stdin=subprocess.DEVNULL,
            timeout=limits.INTERPRETER_ANSWER_MAX_S,
        )
        return json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        text = f"{command[0]} did not say where its library lies: {error}"
        raise PlatformError("host-image-failed", text) from error
