"""Files change, functions are named: watchdog's thread on one side, the event loop on the other."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from lambdash.errors import PlatformError
from lambdash.packaging import Ignore

# Editors write in bursts (a temporary file, a rename, a second save); one edit is one reload.
DEBOUNCE_S = 0.03
# Reading a file is no edit of it.
_SILENT = frozenset(("opened", "closed_no_write"))


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder and what in it is of no interest; ``name`` comes back when the rest changes."""

    name: str
    folder: Path
    ignore: Ignore


class Watcher:
    """Calls ``changed(names)`` on the event loop, once per burst of edits."""

    def __init__(self, changed: Callable[[frozenset[str]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._names: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._observer = Observer()

    def start(self, watched: tuple[Watched, ...], files: Mapping[Path, str]) -> None:
        """Begin. ``files`` are single files by name (the manifest): path -> name.

        Raises ``PlatformError`` when the machine has no watches left.
        """
        try:
            for one in watched:
                self._observer.schedule(
                    _Folder(one, self._from_thread), str(one.folder), recursive=True
                )
            for folder in {path.parent for path in files}:
                self._observer.schedule(_Files(files, self._from_thread), str(folder))
            self._observer.start()
        except OSError as error:
            raise PlatformError(
                "watch-failed",
                f"the sources cannot be watched: {error.strerror or error}",
                "raise fs.inotify.max_user_watches, or list big folders in .lambdashignore",
            ) from error

    async def close(self) -> None:
        """End the thread. What was seen and not told yet is told now; afterwards nothing is."""
        if self._observer.is_alive():
            self._observer.stop()
            await asyncio.to_thread(self._observer.join)
        if self._timer is not None:
            self._timer.cancel()
            self._tell()

    def _from_thread(self, name: str) -> None:
        self._loop.call_soon_threadsafe(self._note, name)

    def _note(self, name: str) -> None:
        self._names.add(name)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(DEBOUNCE_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        names, self._names = frozenset(self._names), set()
        self._changed(names)


class _Folder(FileSystemEventHandler):
    def __init__(self, watched: Watched, tell: Callable[[str], None]) -> None:
        self._watched = watched
        self._tell = tell

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called on watchdog's thread."""
        if event.event_type in _SILENT or (event.is_directory and event.event_type == "modified"):
            return
        paths = [str(path) for path in (event.src_path, event.dest_path) if path]
        if any(self._concerns(Path(path), is_dir=event.is_directory) for path in paths):
            self._tell(self._watched.name)

    def _concerns(self, path: Path, *, is_dir: bool) -> bool:
        try:
            relative = path.relative_to(self._watched.folder)
        except ValueError:
            return False
        return not self._watched.ignore.ignored(relative.as_posix(), is_dir=is_dir)


class _Files(FileSystemEventHandler):
    def __init__(self, files: Mapping[Path, str], tell: Callable[[str], None]) -> None:
        self._files = files
        self._tell = tell

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called on watchdog's thread."""
        if event.event_type in _SILENT:
            return
        for path in (event.src_path, event.dest_path):
            name = self._files.get(Path(str(path))) if path else None
            if name is not None:
                self._tell(name)
