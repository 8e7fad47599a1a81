import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.model import ZipPackage
from lambdash.model.progress import Progress
from lambdash.packaging import Builder, PackageStore
from lambdash.packaging.assemble import NOTHING, Assembly, Layer, seal
from lambdash.packaging.source import SourceChanged
from lambdash.packaging.spares import Spares
from lambdash.packaging.tree import tree_digest
from tests.packaging.conftest import LaterClock, function
from tests.packaging.test_python_dependencies import make_wheel, offline


@pytest.fixture
def below(tmp_path: Path) -> Layer:
    tree = tmp_path / "installed"
    (tree / "lib").mkdir(parents=True)
    (tree / "lib" / "a.py").write_text("theirs")
    (tree / "link").symlink_to("lib")
    return Layer(tree, seal(tree))


@pytest.fixture
def builder(
    store: PackageStore,
    clock: LaterClock,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Builder:
    """A builder whose spares are made at once, of a folder with one dependency."""
    monkeypatch.setattr(limits, "SPARE_TREE_AFTER_S", 0.0)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "lib", "py3-none-any", {"lib/a.py": "theirs", "lib/sub/b.py": "theirs"})
    (folder / "requirements.txt").write_text("lib\n")
    return Builder(store, clock, offline(wheels))


async def build(builder: Builder, folder: Path) -> ZipPackage:
    """Build and wait for the spare."""
    package = await builder.build(function(folder), lambda progress: None)
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    return package


def staged(store: PackageStore) -> list[Path]:
    return sorted((store.root / "staging").iterdir())


def is_whole(store: PackageStore, package: ZipPackage) -> bool:
    """Whether what is stored is what the digest says; ``seal`` reads every file anew."""
    found = seal(store.tree_path(package))
    assert all(entry.mode in (0, 0o644, 0o755) for entry in found.values())
    return tree_digest(found.values()) == package.tree_digest


async def test_an_edit_takes_the_spare_and_another_is_made(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    await build(builder, folder)
    (spare,) = staged(store)
    inode = (spare / "tree").stat().st_ino
    (folder / "lib2" / "deep").mkdir(parents=True)
    (folder / "lib2" / "deep" / "x.py").write_text("x = 1\n")
    package = await build(builder, folder)
    assert store.tree_path(package).stat().st_ino == inode
    assert is_whole(store, package)
    assert (store.tree_path(package) / "lib2" / "deep").stat().st_mode & 0o777 == 0o755
    assert len(staged(store)) == 1
    assert staged(store) != [spare]


async def test_a_source_that_replaces_a_dependency_takes_no_spare(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    await build(builder, folder)
    before = staged(store)
    (folder / "lib").mkdir()
    (folder / "lib" / "a.py").write_text("mine")
    package = await build(builder, folder)
    assert staged(store) == before
    assert is_whole(store, package)
    assert (store.tree_path(package) / "lib" / "a.py").read_text() == "mine"


async def test_a_source_beside_a_dependencys_files_takes_the_spare(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    await build(builder, folder)
    before = staged(store)
    (folder / "lib" / "sub").mkdir(parents=True)
    (folder / "lib" / "sub" / "mine.py").write_text("mine")
    package = await build(builder, folder)
    assert staged(store) != before
    assert is_whole(store, package)


async def test_a_spare_that_someone_removed(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    await build(builder, folder)
    shutil.rmtree(store.root / "staging")
    (folder / "app.py").write_text("x = 2\n")
    assert is_whole(store, await build(builder, folder))


async def test_a_failed_edit_leaves_no_half_used_spare(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    await build(builder, folder)
    path = folder / "app.py"
    path.write_text("x = 2\n")
    left = ["x = 3\n"]

    def change(progress: Progress) -> None:
        if left and progress.text.startswith("packaging"):
            path.write_text(left.pop())

    package = await builder.build(function(folder), change)
    assert is_whole(store, package)
    assert (store.tree_path(package) / "app.py").read_text() == "x = 3\n"


async def test_a_spare_is_neither_stored_nor_counted(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    package = await builder.build(function(folder), lambda progress: None)
    size = store.size_bytes()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    assert len(staged(store)) == 1
    assert store.size_bytes() == size
    assert [path.name for path in (store.root / "packages").iterdir()] == [package.tree_digest]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[PackageStore]:
    """The same store as another process has it open."""
    store = PackageStore(tmp_path / "store")
    yield store
    store.close()


def test_spares_go_with_their_process(
    store: PackageStore, other: PackageStore, below: Layer
) -> None:
    Spares(store).prepare(below)
    other.sweep()
    other.prune()
    assert len(staged(store)) == 1
    store.close()
    assert staged(store) == []


def test_spares_of_a_dead_process_are_swept_by_the_next(
    store: PackageStore, other: PackageStore, below: Layer
) -> None:
    Spares(store).prepare(below)
    (dead,) = staged(store)
    dead.rename(dead.with_name("1-0badcafe-0"))
    Spares(other).prepare(below)
    assert [path.name.startswith(f"{os.getpid()}-") for path in staged(store)] == [True]


def test_one_for_each_tree_and_few_in_all(
    store: PackageStore, below: Layer, tmp_path: Path
) -> None:
    spares = Spares(store)
    for number in range(limits.SPARE_TREES_MAX + 2):
        tree = tmp_path / f"installed{number}"
        shutil.copytree(below.tree, tree, symlinks=True)
        for _ in range(2):
            spares.prepare(Layer(tree, below.entries))
    assert len(staged(store)) == limits.SPARE_TREES_MAX


def test_a_spare_is_taken_once(store: PackageStore, below: Layer, folder: Path) -> None:
    spares = Spares(store)
    spares.prepare(below)
    assembly = Assembly(folder, below.entries, {}, below, NOTHING)
    taken = spares.take(assembly)
    assert taken is not None
    assert seal(taken / "tree") == below.entries
    assert spares.take(assembly) is None


def test_what_cannot_be_linked_leaves_nothing(store: PackageStore, below: Layer) -> None:
    (below.tree / "lib" / "a.py").unlink()
    with pytest.raises(SourceChanged):
        Spares(store).prepare(below)
    assert staged(store) == []
