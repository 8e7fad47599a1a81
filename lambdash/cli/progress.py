"""Progress events on stderr: bars on a terminal, a plain line a step everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display(Protocol):
    """Shows progress until it is closed."""

    def show(self, event: Mapping[str, Any]) -> None:
        """Take in one progress event."""
        ...

    def say(self, text: str) -> None:
        """Print a line without disturbing what is drawn."""
        ...

    def close(self) -> None:
        """Leave the screen clean."""
        ...


def open_display(*, colour: bool) -> Display:
    """Bars where stderr is a terminal, else lines."""
    return Bars(colour=colour) if sys.stderr.isatty() else Lines()


class Lines:
    """One line when a task says something new or finishes; never one a percent."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def show(self, event: Mapping[str, Any]) -> None:
        task, line = str(event.get("task", "")), progress_line(event)
        if line and self._last.get(task) != line:
            self._last[task] = line
            self.say(line)

    def say(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Nothing is drawn."""


def progress_line(event: Mapping[str, Any]) -> str:
    """The plain line of one event, or empty for a mere count."""
    task, text = str(event.get("task", "")), str(event.get("text") or "")
    if event.get("finished"):
        return f"{task}: {text or 'done'}"
    return f"{task}: {text}" if text else ""


class Bars:
    """rich's bars, a task a line; bytes are shown as such."""

    def __init__(self, *, colour: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        console = Console(stderr=True, no_color=not colour)
        self._progress: Progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, event: Mapping[str, Any]) -> None:
        name = str(event.get("task", ""))
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(_escape(name), total=None, count="")
        if event.get("finished"):
            self._progress.remove_task(self._tasks.pop(name))
            self.say(progress_line(event))
            return
        text = str(event.get("text") or "")
        self._progress.update(
            self._tasks[name],
            description=_escape(f"{name}: {text}" if text else name),
            completed=event.get("done") or 0,
            total=event.get("total"),
            count=count_text(event),
        )

    def say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


def count_text(event: Mapping[str, Any]) -> str:
    """`3.1 / 12.0 MB`, `4 / 9 files`, or what of that is known."""
    done, total, unit = event.get("done"), event.get("total"), str(event.get("unit") or "")
    if done is None:
        return ""
    if unit == "bytes":
        shown = [f"{value / 1e6:.1f}" for value in (done, total) if value is not None]
        return " / ".join(shown) + " MB"
    shown = [f"{value:g}" for value in (done, total) if value is not None]
    return f"{' / '.join(shown)} {unit}".rstrip()


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
