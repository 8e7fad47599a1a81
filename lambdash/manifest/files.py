"""Reads the files a manifest is made of: regular, bounded, UTF-8."""

import stat
from collections.abc import Callable
from pathlib import Path

from lambdash import limits
from lambdash.manifest.problems import START, Position, Reporter


def read_text(path: Path, reporter: Reporter, position: Position = START) -> str:
    """The text of a file, without its byte order mark. Raises ``Halt`` when it cannot be had.

    ``reporter`` and ``position`` say who named the file; text that is not UTF-8 is reported there.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise reporter.halt("file-unreadable", position, f"{path} is not a file")
        with path.open("rb") as file:
            content = file.read(limits.MANIFEST_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise reporter.halt("file-unreadable", position, f"cannot read {path}: {reason}") from error
    if len(content) > limits.MANIFEST_MAX_BYTES:
        raise reporter.halt(
            "too-big", position, f"{path} is larger than {limits.MANIFEST_MAX_BYTES} bytes"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise reporter.halt(
            "not-utf-8",
            position,
            f"{path} is not UTF-8 text: byte {error.start} cannot be read",
            "save it as UTF-8",
        ) from error


def is_there(check: Callable[[], bool]) -> bool:
    """Ask a path about itself; one that cannot even be asked about is not there."""
    try:
        return check()
    except (OSError, ValueError):
        return False
