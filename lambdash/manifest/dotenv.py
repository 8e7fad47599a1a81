"""Files of variables: ``NAME=value`` lines, as Docker, Compose and the dotenv libraries read them.

A line is blank, a comment, or ``[export] NAME=value``. Unquoted values are trimmed and end at
`` #``; single quotes keep everything; in double quotes a backslash makes ``n``, ``r`` and ``t``
line feed, carriage return and tab, and any other character itself. Quoted values may span lines.
Nothing is substituted.
"""

import re
from typing import NamedTuple

from lambdash.manifest.problems import Position, Reporter, shown
from lambdash.manifest.values import usable

_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=#'\"]+)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class Assignment(NamedTuple):
    """The value a file gives a variable, and where its name stands."""

    value: str
    position: Position


def parse(text: str, reporter: Reporter) -> dict[str, Assignment]:
    """Every assignment of a file; what cannot be read is reported, with its line."""
    text = text.replace("\r\n", "\n")
    found: dict[str, Assignment] = {}
    line, offset = 1, 0
    while offset < len(text):
        end = _line(text, offset, line, found, reporter)
        line += text.count("\n", offset, end)
        offset = end
    return found


def _line(
    text: str, offset: int, line: int, found: dict[str, Assignment], reporter: Reporter
) -> int:
    """Read what begins at ``offset``; where the next line begins."""
    whole = _LINE.match(text, offset)
    assert whole is not None
    content = whole[0].strip()
    if not content or content.startswith("#"):
        return whole.end()
    name = _NAME.match(text, offset)
    column = 1 + len(whole[0]) - len(whole[0].lstrip())
    if name is None:
        reporter.report(
            "bad-env-file",
            Position(line, column),
            f"not a `NAME=value` line: {shown(content)}",
            "comments begin with `#`; a value may be empty, as in `NAME=`",
        )
        return whole.end()
    position = Position(line, name.start(1) - offset + 1)
    value, end = _value(text, name.end(), whole.end())
    if value is None or not usable(value):
        reporter.report(
            "bad-env-file",
            position,
            f"the value of {shown(name[1])} cannot be read",
            "close its quotes, and write nothing but a comment after them",
        )
    elif name[1] in found:
        first = found[name[1]].position.line
        reporter.report(
            "duplicate-key",
            position,
            f"{shown(name[1])} is set a second time",
            f"it is first set on line {first}",
        )
    else:
        found[name[1]] = Assignment(value, position)
    return end


def _value(text: str, start: int, line_end: int) -> tuple[str | None, int]:
    """The value at ``start`` (None when it is malformed), and where the next line begins."""
    quote = text[start : start + 1]
    if quote not in ("'", '"') or start >= line_end:
        bare = text[start:line_end].rstrip("\n")
        comment = re.search(r"(?:^|[ \t])#", bare)
        return (bare[: comment.start()] if comment else bare).strip(), line_end
    quoted = (_SINGLE if quote == "'" else _DOUBLE).match(text, start)
    rest = _REST.match(text, quoted.end()) if quoted else None
    if quoted is None or rest is None:
        return None, line_end
    if quote == "'":
        return quoted[1], rest.end()
    return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), quoted[1]), rest.end()
