"""Nodes to plain Python values: interpolation, null, and YAML 1.1's traps.

Types are YAML 1.2's for numbers, so that ``012``, ``1_000`` and ``12:30`` stay text rather than
become 10, 1000 and 750; and YAML 1.1's for booleans, so that ``on`` where text is wanted is
refused with a hint and not taken for a name. Where AWS holds text (environment variables, build
arguments, the account id) a number or boolean is its own source text.
"""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any

from lambdash import limits
from lambdash.manifest.document import Entry, Node, Path, Scalar, Sequence
from lambdash.manifest.problems import Position, Reporter, shown

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?=[eE]))"
    r"(?:[eE][-+]?[0-9]{1,3})?\Z"
)
_REFERENCE = re.compile(
    r"\$\$\{|\$\{env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\$\{env:)"
)


class Interpolated(str):
    """Text that came out of ``${env:...}``: a number field may read it as a number."""

    __slots__ = ()


@dataclass(slots=True)
class Values:
    """Reads the nodes of one file. Broken and null values are left out of what is returned."""

    environ: MappingType[str, str]
    reporter: Reporter
    budget: int = limits.MANIFEST_EXPANDED_MAX_CHARS
    _texts: dict[int, str] = field(default_factory=dict)

    def entry(self, entry: Entry, path: Path) -> Any:
        """The value of one entry, or None when it has a problem (which is reported)."""
        node = entry.node
        if isinstance(node, Scalar) and node.plain and node.text in _NULLS:
            self.reporter.report(
                "no-value",
                entry.key_position,
                f"{_named(path)} has no value",
                'remove the key, or write `""`, `{}` or `[]` for an empty value',
            )
            return None
        value = None if node.broken else self.value(node, path)
        # a reference inside may just have broken it
        return None if node.broken else value

    def value(self, node: Node, path: Path) -> Any:
        """The plain value of a node that is neither broken nor null itself."""
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        if isinstance(node, Sequence):
            return self._items(node, node.items, path)
        values = {name: self.entry(entry, (*path, name)) for name, entry in node.entries.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _items(self, node: Sequence, items: list[Node], path: Path) -> list[Any]:
        values = []
        for index, item in enumerate(items):
            values.append(self.entry(Entry(item.position, item), (*path, index)))
            node.broken = node.broken or values[-1] is None
        return values

    def _scalar(self, scalar: Scalar, path: Path) -> Any:
        text = self._interpolated(scalar)
        if isinstance(text, Interpolated) or not scalar.plain or is_literal(path):
            return text
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if _INTEGER.match(text):
            return int(text)
        return float(text) if _FLOAT.match(text) else text

    def _interpolated(self, scalar: Scalar) -> str:
        if "${" not in scalar.text:
            return scalar.text
        if id(scalar) not in self._texts:
            self._texts[id(scalar)] = self._replace(scalar)
        return self._texts[id(scalar)]

    def _replace(self, scalar: Scalar) -> str:
        pieces, end, replaced = [], 0, False
        for reference in _REFERENCE.finditer(scalar.text):
            pieces.append(scalar.text[end : reference.start()])
            end = reference.end()
            replaced = replaced or reference[0] != "$${"
            pieces.append(self._resolve(scalar, reference))
            self.budget -= len(pieces[-1])
            if self.budget < 0:
                raise self.reporter.halt(
                    "too-big",
                    scalar.position,
                    "references make this "
                    f"longer than {limits.MANIFEST_EXPANDED_MAX_CHARS} characters",
                )
        pieces.append(scalar.text[end:])
        text = "".join(pieces)
        return Interpolated(text) if replaced else text

    def _resolve(self, scalar: Scalar, reference: re.Match[str]) -> str:
        if reference[0] == "$${":
            return "${"
        position = _position_of(scalar, reference.start())
        if reference["bad"]:
            scalar.broken = True
            self.reporter.report(
                "bad-reference",
                position,
                "`${env:` is not a whole reference",
                "write `${env:NAME}` or `${env:NAME:-default}`; `$${` is a literal `${`",
            )
            return ""
        name, default = reference["name"], reference["default"]
        value = self.environ.get(name, default)
        if value is None:
            scalar.broken = True
            self.reporter.report(
                "variable-not-set",
                position,
                f"the variable {shown(name)} is not set",
                f"set it, or give a default: `${{env:{name}:-...}}`",
            )
            return ""
        if not usable(value):
            scalar.broken = True
            self.reporter.report(
                "bad-character", position, f"the variable {shown(name)} is not UTF-8 text"
            )
            return ""
        return value


def usable(text: str) -> bool:
    """Whether text can be passed on: no NUL, and nothing UTF-8 cannot carry."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def is_literal(path: Path) -> bool:
    """Whether a plain scalar at this path is its own source text, whatever YAML takes it for."""
    match path:
        case ("account_id",):
            return True
        case ("defaults", "environment", _) | ("functions", _, "environment", _):
            return True
        case ("functions", _, "build", "args", _):
            return True
    return False


def _position_of(scalar: Scalar, offset: int) -> Position:
    """Where a part of a scalar stands; the scalar's start when it has escapes or several lines."""
    line, column = scalar.position
    quotes = scalar.end.column - column - len(scalar.text)
    if scalar.end.line == line and quotes in (0, 2):
        return Position(line, column + quotes // 2 + offset)
    return scalar.position


def _named(path: Path) -> str:
    return "an item of the list" if isinstance(path[-1], int) else shown(path[-1])
