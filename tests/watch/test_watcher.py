"""Real files, a real observer: an edit is told once, noise is not."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lambdash.errors import PlatformError
from lambdash.packaging import Ignore
from lambdash.watch.watcher import Watched, Watcher

# watchdog 7 finds a folder twice when it appears while its parent is being listed, and says so
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")


@dataclass
class Scene:
    """A watched folder and what was told of it. ``fence`` is a file of its own name."""

    folder: Path
    fence: Path
    calls: list[frozenset[str]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, names: frozenset[str]) -> None:
        self.calls.append(names)
        self.news.set()

    async def until_told(self, name: str = "hello") -> None:
        async with asyncio.timeout(10):
            while not any(name in names for names in self.calls):
                self.news.clear()
                await self.news.wait()

    async def settle(self) -> None:
        """Everything written so far has been told: a later edit of the fence has."""
        self.fence.write_text(f"{self.fence.read_text()}.")
        await self.until_told("fence")

    async def told(self, edit: Callable[[], object]) -> None:
        """The edit is told of the folder, and of nothing else."""
        edit()
        await self.until_told()

    async def silent(self, edit: Callable[[], object]) -> None:
        edit()
        await self.settle()
        assert all("hello" not in names for names in self.calls)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    folder = tmp_path / "hello"
    (folder / "package").mkdir(parents=True)
    (folder / "app.py").write_text("1")
    (folder / ".lambdashignore").write_text("*.log\nbuild/\n")
    (tmp_path / "side").mkdir()
    fence = tmp_path / "side" / "fence"
    fence.write_text("")
    scene = Scene(folder, fence)
    watcher = Watcher(scene.tell)
    watcher.start((Watched("hello", folder, Ignore.for_folder(folder)),), {fence: "fence"})
    yield scene
    await watcher.close()


async def test_a_plain_write(scene: Scene) -> None:
    await scene.told(lambda: (scene.folder / "app.py").write_text("2"))
    assert scene.calls[0] == {"hello"}


async def test_a_burst_is_one_call(scene: Scene) -> None:
    def burst() -> None:
        for number in range(50):
            (scene.folder / f"m{number}.py").write_text(str(number))

    await scene.told(burst)
    await scene.settle()
    assert sum("hello" in names for names in scene.calls) == 1


async def test_edits_of_both_are_told_together(scene: Scene) -> None:
    (scene.folder / "app.py").write_text("2")
    scene.fence.write_text("2")
    await scene.until_told()
    await scene.until_told("fence")


def rename_over(folder: Path) -> None:
    """vim, JetBrains: a new file takes the old one's place."""
    (folder / ".app.py.tmp").write_text("2")
    (folder / ".app.py.tmp").rename(folder / "app.py")


def truncate_and_write(folder: Path) -> None:
    """nano, VS Code: the same file, empty for a moment."""
    with (folder / "app.py").open("w") as file:
        file.flush()
        file.write("2")


def delete_and_create(folder: Path) -> None:
    (folder / "app.py").unlink()
    (folder / "app.py").write_text("2")


def backup_and_write(folder: Path) -> None:
    """emacs: the old file becomes a backup."""
    (folder / "app.py").rename(folder / "app.py~")
    (folder / "app.py").write_text("2")


def remove(folder: Path) -> None:
    (folder / "app.py").unlink()


def move_in(folder: Path) -> None:
    (folder.parent / "made").mkdir()
    (folder.parent / "made" / "x.py").write_text("1")
    (folder.parent / "made").rename(folder / "made")


def move_out(folder: Path) -> None:
    (folder / "app.py").rename(folder.parent / "app.py")


@pytest.mark.parametrize(
    "save",
    [
        rename_over,
        truncate_and_write,
        delete_and_create,
        backup_and_write,
        remove,
        move_in,
        move_out,
    ],
)
async def test_every_way_to_save(scene: Scene, save: Callable[[Path], None]) -> None:
    await scene.told(lambda: save(scene.folder))


@pytest.mark.parametrize(
    "path",
    ["out.log", "package/out.log", ".app.py.swp", "app.py~", "4913", "app.pyc", ".DS_Store"],
)
async def test_ignored_files_are_silent(scene: Scene, path: str) -> None:
    def noise() -> None:
        (scene.folder / path).write_text("1")
        (scene.folder / path).write_text("2")
        (scene.folder / path).unlink()

    await scene.silent(noise)


@pytest.mark.parametrize("path", ["build", "__pycache__", ".git", "package/build"])
async def test_ignored_folders_are_silent(scene: Scene, path: str) -> None:
    def noise() -> None:
        (scene.folder / path / "deep").mkdir(parents=True)
        (scene.folder / path / "deep" / "x.py").write_text("1")

    await scene.silent(noise)


async def test_reading_is_no_edit(scene: Scene) -> None:
    await scene.silent(lambda: [(scene.folder / "app.py").read_text() for _ in range(3)])


async def test_files_in_new_nested_folders(scene: Scene) -> None:
    (scene.folder / "a" / "b" / "c").mkdir(parents=True)
    await scene.until_told()
    scene.calls.clear()
    await scene.told(lambda: (scene.folder / "a" / "b" / "c" / "x.py").write_text("1"))


async def test_a_neighbour_of_a_single_file_is_silent(scene: Scene) -> None:
    (scene.fence.parent / "other").write_text("1")
    await scene.settle()
    assert scene.calls == [{"fence"}]


async def test_it_ends_cleanly(scene: Scene) -> None:
    """What was seen is told at the end; what is written later is not, and no thread is left."""
    calls: list[frozenset[str]] = []
    watcher = Watcher(calls.append)
    before = set(threading.enumerate())
    watched = Watched("ended", scene.folder, Ignore.for_folder(scene.folder))
    watcher.start((watched,), {})
    threads = set(threading.enumerate()) - before
    assert threads
    await scene.told(lambda: (scene.folder / "app.py").write_text("2"))
    await watcher.close()
    assert calls == [{"ended"}]
    assert not any(thread.is_alive() for thread in threads)
    scene.calls.clear()
    await scene.told(lambda: (scene.folder / "app.py").write_text("3"))
    await watcher.close()
    assert calls == [{"ended"}]


async def test_a_machine_without_watches_says_so(tmp_path: Path) -> None:
    watcher = Watcher(lambda names: None)
    missing = tmp_path / "missing"
    with pytest.raises(PlatformError) as raised:
        watcher.start((Watched("hello", missing, Ignore.for_folder(missing)),), {})
    assert raised.value.code == "watch-failed"
    await watcher.close()
