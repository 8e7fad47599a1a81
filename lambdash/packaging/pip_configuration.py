"""pip's configuration in uv's terms: uv does not read it, and private indexes are written there.

Files and their order: https://pip.pypa.io/en/stable/topics/configuration/. What the user set for uv
itself (a variable, ``uv.toml``, ``[tool.uv]``) is never overridden. Values travel as environment
variables, since index URLs may hold credentials and arguments are visible to every user.
"""

import configparser
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdash.errors import CallerError


@dataclass(frozen=True, slots=True)
class _Row:
    """One option of pip: uv's variable, its separator, and what in uv takes its place."""

    option: str
    variable: str
    separator: str
    settled_by: tuple[str, ...]
    keys: tuple[str, ...] = ()


_INDEX_KEYS = ("index", "index-url", "extra-index-url")
_ROWS = (
    _Row("index-url", "UV_DEFAULT_INDEX", "", ("UV_DEFAULT_INDEX", "UV_INDEX_URL"), _INDEX_KEYS),
    _Row("extra-index-url", "UV_INDEX", " ", ("UV_INDEX", "UV_EXTRA_INDEX_URL"), _INDEX_KEYS),
    _Row("find-links", "UV_FIND_LINKS", ",", ("UV_FIND_LINKS",), ("find-links",)),
    _Row(
        "trusted-host",
        "UV_INSECURE_HOST",
        " ",
        ("UV_INSECURE_HOST",),
        ("allow-insecure-host", "trusted-host"),
    ),
    _Row("cert", "SSL_CERT_FILE", "", ("SSL_CERT_FILE",)),
    _Row("client-cert", "SSL_CLIENT_CERT", "", ("SSL_CLIENT_CERT",)),
    _Row("proxy", "ALL_PROXY", "", ("ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy")),
    _Row("timeout", "UV_HTTP_TIMEOUT", "", ("UV_HTTP_TIMEOUT",)),
)
_ON = frozenset({"1", "true", "t", "yes", "y", "on"})
_VARIABLES = {"timeout": ("PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT")}


@dataclass(frozen=True, slots=True)
class Translation:
    """``variables`` and ``arguments`` for uv; ``options`` are pip's, which they come from."""

    variables: Mapping[str, str]
    arguments: tuple[str, ...]
    options: tuple[str, ...]


def translate(environ: Mapping[str, str], folder: Path) -> Translation:
    """What pip is told on this machine, as variables for a uv that runs in ``folder``."""
    options = _pip_options(environ)
    keys = _uv_keys(environ, folder)
    variables: dict[str, str] = {}
    used: list[str] = []
    for row in _ROWS:
        value = options.get(row.option, "").split()
        if (
            not value
            or keys.intersection(row.keys)
            or any(name in environ for name in row.settled_by)
        ):
            continue
        variables[row.variable] = row.separator.join(value) if row.separator else value[0]
        used.append(row.option)
    if "UV_INDEX" in variables and not _has_strategy(environ, keys):
        # pip takes the best version of all its indexes, uv that of the first which has the name.
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    arguments: tuple[str, ...] = ()
    if options.get("no-index", "").lower() in _ON and "no-index" not in keys:
        used.append("no-index")
        arguments = ("--no-index",)  # uv has no variable for it
    return Translation(variables, arguments, tuple(used))


def _has_strategy(environ: Mapping[str, str], keys: set[str]) -> bool:
    return "UV_INDEX_STRATEGY" in environ or "index-strategy" in keys


def _pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Files from the least to the most particular, then ``PIP_*``."""
    options: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = _parse(path)
        for section in ("global", "install"):
            if parser.has_section(section):
                options |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    for row in _ROWS:
        default = (f"PIP_{row.option.upper().replace('-', '_')}",)
        for variable in _VARIABLES.get(row.option, default):
            if environ.get(variable):
                options[row.option] = environ[variable]
    if environ.get("PIP_NO_INDEX"):
        options["no-index"] = environ["PIP_NO_INDEX"]
    return options


def _parse(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(), str(path))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (configparser.Error, UnicodeDecodeError) as error:
        raise CallerError(
            "pip-configuration-invalid",
            f"pip's configuration {path} cannot be read",
            "`pip config debug` says what is wrong with it",
        ) from error
    return parser


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    own = environ.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    configuration = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    files = [*(Path(folder) / "pip" / "pip.conf" for folder in reversed(shared))]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    if sys.platform == "darwin":
        files.insert(0, Path("/Library/Application Support/pip/pip.conf"))
        files.append(home / "Library/Application Support/pip/pip.conf")
    files.append(configuration / "pip" / "pip.conf")
    return [*files, Path(own)] if own else files


def _uv_keys(environ: Mapping[str, str], folder: Path) -> set[str]:
    """The settings made in uv's own files (https://docs.astral.sh/uv/concepts/configuration-files/)."""
    own = environ.get("UV_CONFIG_FILE")
    if own:
        return _keys_of(Path(own))
    home = Path(environ.get("HOME") or Path.home())
    configuration = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    keys = _keys_of(Path("/etc/uv/uv.toml")) | _keys_of(configuration / "uv" / "uv.toml")
    for parent in (folder, *folder.resolve().parents):
        if (parent / "uv.toml").is_file():
            return keys | _keys_of(parent / "uv.toml")
        if found := _keys_of(parent / "pyproject.toml", "tool", "uv"):
            return keys | found
    return keys


def _keys_of(path: Path, *tables: str) -> set[str]:
    try:
        document: Any = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        return set()  # uv itself says what is wrong with it
    for table in tables:
        document = document.get(table, {}) if isinstance(document, dict) else {}
    return {*_names(document), *_names(document.get("pip", {}))}


def _names(table: Any) -> Iterable[str]:
    return table.keys() if isinstance(table, dict) else ()
