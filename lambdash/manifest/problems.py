"""What is wrong with a manifest: where, what, and what to do about it; all of it in one run."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lambdash import limits
from lambdash.errors import CallerError


class Position(NamedTuple):
    """Where something stands in a file: both parts count from 1, a tab is one column."""

    line: int
    column: int


START = Position(1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one place. ``code`` is stable and kebab-case (``unknown-key``)."""

    file: str
    line: int
    column: int
    message: str
    hint: str
    code: str

    def __str__(self) -> str:
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class ManifestInvalid(CallerError):
    """The manifest, or a file it names, cannot be used; ``problems`` are sorted by position.

    The message is all problems, one a line.
    """

    def __init__(self, problems: Iterable[Problem], omitted: int = 0) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems]
        if omitted:
            lines.append(f"... and {omitted} more")
        super().__init__("manifest-invalid", "\n".join(lines))


class Halt(Exception):
    """Nothing more can be learned from this file; the problem is already in the collection."""


@dataclass(slots=True)
class Problems:
    """Collects what is wrong in one load; past ``MANIFEST_MAX_PROBLEMS`` it only counts."""

    found: dict[Problem, None] = field(default_factory=dict)
    omitted: int = 0

    @property
    def full(self) -> bool:
        return len(self.found) >= limits.MANIFEST_MAX_PROBLEMS

    def add(self, problem: Problem) -> None:
        if problem in self.found:
            return
        if self.full:
            self.omitted += 1
        else:
            self.found[problem] = None

    def raise_if_any(self) -> None:
        if self.found:
            raise ManifestInvalid(sorted(self.found), self.omitted)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Adds the problems of one file to the collection all files of a load share."""

    file: Path
    problems: Problems

    def report(self, code: str, position: Position, message: str, hint: str = "") -> None:
        line, column = position
        self.problems.add(Problem(str(self.file), line, column, message, hint, code))

    def halt(self, code: str, position: Position, message: str, hint: str = "") -> Halt:
        """Report, and give the exception that ends the reading of this file."""
        self.report(code, position, message, hint)
        return Halt()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known name, or nothing when none is near."""
    if len(name) > limits.FUNCTION_NAME_MAX_CHARS:
        return ""
    near = difflib.get_close_matches(snake_case(name), list(known), n=1)
    return f"did you mean `{near[0]}`?" if near else ""


def snake_case(name: str) -> str:
    """AWS's ``MemorySize`` and people's ``memory-size`` as this grammar writes them."""
    pieces = []
    for index, character in enumerate(name):
        if character.isupper() and index and not name[index - 1].isupper():
            pieces.append("_")
        pieces.append("_" if character == "-" else character.lower())
    return "".join(pieces).replace("__", "_")


def shown(value: object) -> str:
    """A value in a message: on one line, and short."""
    text = " ".join(str(value).split())
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"
