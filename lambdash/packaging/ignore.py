"""What of a source folder is never packaged: built-in rules, then ``.lambdashignore``.

``.lambdashignore`` lies at the folder's top and is written as a ``.gitignore``
(https://git-scm.com/docs/gitignore): ``*``, ``?``, ``[...]``, ``**``, ``!``, a leading or trailing
slash, backslash escapes. As with git, what lies in an ignored folder cannot be taken back in, and a
pattern that no name can match is silent. A bracket that is never closed, a POSIX class such as
``[[:alpha:]]``, and an ignore file deeper in the folder are refused by name.
"""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lambdash import limits
from lambdash.errors import CallerError

IGNORE_FILE = ".lambdashignore"

# Patterns of the user come after these, so that `!name` takes one of them back in.
BUILT_IN = (
    ".git",
    ".hg",
    ".svn",
    ".lambdash",
    IGNORE_FILE,
    "__pycache__",
    "*.pyc",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".DS_Store",
    "*~",
    "*.swp",
    "*.swo",
    "*.swx",
    ".#*",
    "#*#",
    "4913",
)
_VIRTUAL_ENVIRONMENTS = frozenset({".venv", "venv"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: ``expression`` matches the whole path relative to the folder."""

    expression: re.Pattern[str]
    negated: bool
    directories_only: bool


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of one folder, last match wins. Paths are relative to it, with ``/``."""

    folder: str
    rules: tuple[Rule, ...]

    @classmethod
    def for_folder(cls, path: Path, *extra: str) -> "Ignore":
        """Read the folder's ``.lambdashignore``; ``extra`` patterns come last and always win."""
        text = _read(path / IGNORE_FILE)
        return cls(str(path), (*_rules(text, str(path / IGNORE_FILE)), *_extra_rules(extra)))

    @classmethod
    def nothing(cls, path: Path) -> "Ignore":
        """Every file counts, but for ``.git`` and ``.lambdash``."""
        return cls(str(path), _extra_rules((".git", ".lambdash")))

    def ignored(self, relative: str, is_dir: bool) -> bool:  # noqa: FBT001 (a predicate on a pair)
        """Whether the path, or a folder above it, is left out."""
        parts = relative.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(self.leaves_out(parent, directory=True) for parent in above):
            return True
        return self.leaves_out(relative, directory=is_dir)

    def leaves_out(self, relative: str, *, directory: bool) -> bool:
        """As ``ignored``, for a walk that already came through the folders above."""
        for rule in reversed(self.rules):
            if (directory or not rule.directories_only) and rule.expression.fullmatch(relative):
                return not rule.negated
        return directory and self._is_virtual_environment(relative)

    def _is_virtual_environment(self, relative: str) -> bool:
        if relative.rpartition("/")[2] not in _VIRTUAL_ENVIRONMENTS:
            return False
        return os.path.exists(os.path.join(self.folder, relative, "pyvenv.cfg"))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(limits.IGNORE_FILE_MAX_BYTES + 1)
        if len(content) > limits.IGNORE_FILE_MAX_BYTES:
            raise CallerError(
                "ignore-invalid", f"{path} is larger than {limits.IGNORE_FILE_MAX_BYTES} bytes"
            )
        return content.decode()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        raise CallerError("ignore-invalid", f"{path} is not UTF-8") from error
    except OSError as error:
        raise CallerError("ignore-invalid", f"{path} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=64)
def _rules(text: str, origin: str) -> tuple[Rule, ...]:
    rules = list(_extra_rules(BUILT_IN))
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        rule = _rule(line, f"{origin}:{number}")
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


@lru_cache(maxsize=64)
def _extra_rules(patterns: tuple[str, ...]) -> tuple[Rule, ...]:
    made = (_rule(pattern.replace("#", r"\#"), pattern) for pattern in patterns)
    return tuple(rule for rule in made if rule is not None)


def _rule(line: str, origin: str) -> Rule | None:
    pattern = _strip_trailing_spaces(line)
    if not pattern or pattern.startswith("#"):
        return None
    if len(pattern) > limits.IGNORE_PATTERN_MAX_CHARS:
        raise CallerError("ignore-invalid", f"{origin}: the pattern is too long")
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!") if negated else pattern
    directories_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    anchored = "/" in pattern
    segments = pattern.removeprefix("/").split("/")
    if not anchored:
        segments = ["**", *segments]
    return Rule(re.compile(_expression(segments, origin), re.DOTALL), negated, directories_only)


def _strip_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    escaped = (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 1
    return stripped + " " if escaped and len(stripped) < len(line) else stripped


def _expression(segments: list[str], origin: str) -> str:
    if segments.count("**") > limits.IGNORE_PATTERN_MAX_DOUBLE_STARS:
        raise CallerError("ignore-invalid", f"{origin}: too many ** in one pattern")
    last = len(segments) - 1
    parts: list[str] = []
    for index, segment in enumerate(segments):
        if segment == "**":
            parts.append("(?:[^/]+/)*" if index < last else ".+")
        else:
            parts.append(_segment(segment, origin) + ("/" if index < last else ""))
    return "".join(parts)


def _segment(segment: str, origin: str) -> str:
    """A glob within one path segment; atomic groups keep the match linear per star."""
    pieces = [""]
    position = 0
    while position < len(segment):
        position, piece = _glob_atom(segment, position, origin)
        if piece is None:
            pieces.append("")
        else:
            pieces[-1] += piece
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    groups = "".join(f"(?>[^/]*?{piece})" for piece in middle if piece)
    return f"{first}{groups}[^/]*{last}"


def _glob_atom(segment: str, position: int, origin: str) -> tuple[int, str | None]:
    """The atom at ``position`` as (where the next begins, expression); None stands for a star."""
    char = segment[position]
    if char == "*":
        return position + 1, None
    if char == "?":
        return position + 1, "[^/]"
    if char == "[":
        return _bracket(segment, position, origin)
    if char == "\\":
        escaped = segment[position + 1 : position + 2]
        return position + 2, re.escape(escaped) if escaped else "(?!)"
    return position + 1, re.escape(char)


def _bracket(segment: str, start: int, origin: str) -> tuple[int, str]:
    if "[[:" in segment:
        raise CallerError("ignore-invalid", f"{origin}: character classes [[:...:]] are not read")
    position = start + 1
    inverted = segment[position : position + 1] in {"!", "^"}
    position += inverted
    members: list[str] = []
    while position < len(segment) and (segment[position] != "]" or not members):
        position += segment[position] == "\\"
        low, position = segment[position : position + 1], position + 1
        high = low
        if segment[position : position + 1] == "-" and segment[position + 1 : position + 2] != "]":
            position += 1 + (segment[position + 1 : position + 2] == "\\")
            high, position = segment[position : position + 1], position + 1
        if low and high and low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            members.append("")
    if position >= len(segment):
        raise CallerError("ignore-invalid", f"{origin}: [ is never closed")
    inside = "".join(members)
    if not inside:
        return position + 1, "[^/]" if inverted else "(?!)"
    return position + 1, f"(?!/)[{'^' if inverted else ''}{inside}]"
