"""Plain tables: two blanks between columns, the last column takes what is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

WIDTH = 80


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], width: int = WIDTH) -> str:
    """Rows under headers; a cell of the last column that does not fit ends in an ellipsis."""
    cells = [list(headers), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return "\n".join(_line(row, widths, width) for row in cells)


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


def _line(row: Sequence[str], widths: Sequence[int], width: int) -> str:
    before = "".join(f"{text:{size}}  " for text, size in zip(row[:-1], widths, strict=False))
    left = max(8, width - len(before))
    last = row[-1]
    return (before + (last if len(last) <= left else last[: left - 1] + "…")).rstrip()


def clock_time(at: object, *, parts: str = "milliseconds") -> str:
    """`14:31:30.120+02:00`: this machine's time of an ISO time, with its distance to UTC."""
    try:
        told = datetime.fromisoformat(str(at))
    except ValueError:
        return "-"
    return told.astimezone().timetz().isoformat(timespec=parts)


def milliseconds(value: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.84 s`."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def age(seconds: float | None) -> str:
    """`42 s`, `3 min`, `2 h`, `4 d`."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def size(count: int | None) -> str:
    """`812 B`, `3.4 MB`; decimal, as disks and networks count."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
