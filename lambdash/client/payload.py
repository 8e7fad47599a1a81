"""The payload of an invocation: read from where the user said, and known to be JSON."""

from __future__ import annotations

import json

from lambdash import limits
from lambdash.errors import CallerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TextIO


def read(source: str, stdin: TextIO | None) -> bytes:
    """The bytes of ``source``: JSON itself, ``@file``, or ``-`` for standard input.

    They reach the function unchanged. Raises ``CallerError`` ``payload-not-json`` (with line and
    column), ``payload-too-large`` or ``payload-unreadable``.
    """
    if source == "-":
        content = _read_stdin(stdin)
    elif source.startswith("@"):
        content = _read_file(source[1:])
    else:
        content = source.encode("utf-8", "surrogateescape")
    if len(content) > limits.REQUEST_PAYLOAD_MAX_BYTES:
        raise CallerError(
            "payload-too-large",
            f"the payload has more than {limits.REQUEST_PAYLOAD_MAX_BYTES} bytes, AWS's limit",
            "put large input into a file or a bucket and send its name",
        )
    _check(content)
    return content


def parsed(answer: bytes) -> Any:
    """A response as Python values; ``ValueError`` when it is not JSON that can be written again.

    Python's own ``NaN`` and numbers beyond a double are such, and nesting beyond the stack.
    """
    try:
        return json.loads(answer, parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        _refuse_number(text)
    return number


def _read_stdin(stdin: TextIO | None) -> bytes:
    if stdin is None:  # Python's way to say that the descriptor is closed
        raise CallerError(
            "payload-unreadable", "standard input is closed", "`-p JSON` gives the payload itself"
        )
    content: bytes = stdin.buffer.read(limits.REQUEST_PAYLOAD_MAX_BYTES + 1)
    return content


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limits.REQUEST_PAYLOAD_MAX_BYTES + 1)
    except OSError as error:
        raise CallerError(
            "payload-unreadable",
            f"the payload file {path!r} cannot be read: {error.strerror}",
            "`-p @FILE` reads a file, `-p -` standard input",
        ) from error


def _check(content: bytes) -> None:
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise _not_json(where, content) from error
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8", content) from error
    except RecursionError as error:
        raise _not_json("it is nested too deeply", content) from error


def _refuse(constant: str) -> NoReturn:
    raise _not_json(f"{constant} is not a JSON value", b"{")


def _not_json(reason: str, content: bytes) -> CallerError:
    bare = content[:1] not in b'{["'
    return CallerError(
        "payload-not-json",
        f"the payload is not JSON: {reason}",
        "a string needs double quotes of its own: '\"text\"'; `-p @FILE` reads a file"
        if bare
        else "`-p @FILE` reads the payload from a file, where the shell cannot change its quotes",
    )
