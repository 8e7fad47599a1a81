"""Where a function's environment variables come from, and which one wins.

From the weakest to the strongest: the project's ``env_file``, ``defaults.environment``, the
function's ``env_file``, the function's ``environment``, ``Parameters`` of the ``--env-vars`` file,
the function's own object there. Every source may bring variables of its own; none is dropped.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdash import limits
from lambdash.manifest import document, dotenv, variables
from lambdash.manifest.document import Entry, Sequence, position_at
from lambdash.manifest.files import read_text
from lambdash.manifest.problems import START, Halt, Position, Reporter, did_you_mean, shown
from lambdash.manifest.values import usable

_SHARED = "Parameters"


@dataclass(slots=True)
class EnvironmentFiles:
    """Reads each ``env_file`` once, however many functions name it."""

    reporter: Reporter
    folder: Path
    read: dict[Path, dict[str, str]] = field(default_factory=dict)

    def variables(self, names: Iterable[str], entry: Entry | None) -> dict[str, str]:
        """All variables of the files; ``entry`` is where the manifest names them."""
        found: dict[str, str] = {}
        for index, name in enumerate(names):
            found |= self._file(self.folder / name, _position_of(entry, index))
        return found

    def _file(self, path: Path, position: Position) -> dict[str, str]:
        if path not in self.read:
            self.read[path] = {}
            try:
                text = read_text(path, self.reporter, position)
            except Halt:
                return {}
            reporter = Reporter(path, self.reporter.problems)
            for name, (value, place) in dotenv.parse(text, reporter).items():
                if accepted(name, place, reporter):
                    self.read[path][name] = value
        return self.read[path]


@dataclass(frozen=True, slots=True)
class Overrides:
    """SAM's ``--env-vars`` file: variables for all functions, and for each by name."""

    shared: Mapping[str, str] = field(default_factory=dict)
    by_function: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, function: str) -> dict[str, str]:
        return {**self.shared, **self.by_function.get(function, {})}


def declared(values: Mapping[str, str], entry: Entry | None, reporter: Reporter) -> dict[str, str]:
    """The variables of one ``environment`` mapping, without those AWS refuses."""
    if entry is None or not isinstance(entry.node, document.Mapping):
        return {}
    for name, variable in entry.node.entries.items():
        accepted(name, variable.key_position, reporter)
    return {name: value for name, value in values.items() if variables.fault(name) is None}


def accepted(name: str, position: Position, reporter: Reporter) -> bool:
    """Whether AWS takes a variable of this name; reported where it does not."""
    fault = variables.fault(name)
    if fault is None:
        return True
    code, wrong, hint = fault
    reporter.report(code, position, f"{shown(name)} {wrong}", hint)
    return False


def check_size(
    function: str, merged: Mapping[str, str], position: Position, reporter: Reporter
) -> None:
    """Report variables that are more than AWS takes for one function."""
    size = variables.measured_bytes(merged)
    if size > limits.ENVIRONMENT_VARIABLES_MAX_BYTES:
        reporter.report(
            "environment-too-big",
            position,
            f"the environment variables of {shown(function)} take {size} bytes, more than 4 KB",
            "names, quotes and commas count too; keep large values in a file or a secret store",
        )


def read_overrides(path: Path, functions: Iterable[str], reporter: Reporter) -> Overrides:
    """The ``--env-vars`` file. ``reporter`` is the file's own; what is wrong is left out."""
    try:
        text = read_text(path, reporter)
        content = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except Halt:
        return Overrides()
    except json.JSONDecodeError as error:
        reporter.report("not-json", Position(error.lineno, error.colno), f"not JSON: {error.msg}")
        return Overrides()
    except RecursionError:
        reporter.report("too-deep", START, "values are nested too deeply")
        return Overrides()
    if not isinstance(content, dict):
        reporter.report(
            "wrong-type",
            START,
            "environment variables by function are a JSON object",
            'write `{"Parameters": {"NAME": "value"}, "FUNCTION": {"NAME": "value"}}`',
        )
        return Overrides()
    return _overrides(content, text, list(functions), reporter)


def _overrides(
    content: dict[str, Any], text: str, functions: list[str], reporter: Reporter
) -> Overrides:
    read: dict[str, dict[str, str]] = {}
    for name, given in content.items():
        position = _json_position(text, name)
        if name != _SHARED and name not in functions:
            reporter.report(
                "function-not-found",
                position,
                f"function {shown(name)} is not in the manifest",
                did_you_mean(name, [*functions, _SHARED]),
            )
        elif not isinstance(given, dict):
            reporter.report("wrong-type", position, f"{shown(name)} must be an object of variables")
        else:
            read[name] = _stringified(given, text, reporter)
    return Overrides(read.pop(_SHARED, {}), read)


def _stringified(given: dict[str, Any], text: str, reporter: Reporter) -> dict[str, str]:
    """SAM's rule: numbers as written, ``true`` and ``false``, and null as empty text."""
    found = {}
    for name, value in given.items():
        position = _json_position(text, name)
        if isinstance(value, (dict, list)):
            reporter.report("wrong-type", position, f"{shown(name)} must be text")
        elif accepted(name, position, reporter):
            written = {None: "", True: "true", False: "false"}.get(value, value)
            if usable(written):
                found[name] = written
            else:
                reporter.report(
                    "bad-character", position, "NUL and lone surrogates cannot be used in text"
                )
    return found


def _json_position(text: str, name: str) -> Position:
    """Where a JSON text first has this key; its start when the key is written with escapes."""
    key = re.search(rf'"{re.escape(name)}"\s*:', text)
    return position_at(text, key.start()) if key else START


def _position_of(entry: Entry | None, index: int) -> Position:
    assert entry is not None
    node = entry.node
    return node.items[index].position if isinstance(node, Sequence) else node.position
