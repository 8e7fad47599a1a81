import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lambdash.errors import CallerError
from lambdash.model import DockerfileSource, Function, ImageSource
from lambdash.model.progress import Progress
from lambdash.packaging import Builder, PackageStore
from tests.packaging.conftest import LaterClock, function


class Sink:
    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.seen.append(progress)

    @property
    def texts(self) -> list[str]:
        return [progress.text for progress in self.seen]


def shapes(tree: Path) -> dict[str, str]:
    return {
        path.relative_to(tree).as_posix(): os.readlink(path)
        if path.is_symlink()
        else f"{path.stat().st_mode & 0o777:o}"
        for path in tree.rglob("*")
    }


async def test_a_folder_becomes_a_read_only_tree(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "run").write_text("#!/bin/sh\n")
    (folder / "lib" / "run").chmod(0o700)
    (folder / "link").symlink_to("lib/run")
    package = await builder.build(function(folder), Sink())
    tree = store.tree_path(package)
    assert shapes(tree) == {"app.py": "444", "lib": "755", "lib/run": "555", "link": "lib/run"}
    assert package.size_bytes == sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


async def test_the_second_build_is_a_hit_that_says_nothing(builder: Builder, folder: Path) -> None:
    first, second = Sink(), Sink()
    package = await builder.build(function(folder), first)
    assert first.seen[-1] == Progress("hello: package", "built", finished=True)
    assert await builder.build(function(folder), second) == package
    assert second.seen == []


async def test_another_process_hits_what_the_first_stored(
    builder: Builder, store: PackageStore, clock: LaterClock, folder: Path
) -> None:
    package = await builder.build(function(folder), Sink())
    sink = Sink()
    other = PackageStore(store.root, clock)
    assert await Builder(other, clock).build(function(folder), sink) == package
    assert sink.seen == []
    other.close()


async def test_an_edit_gives_another_package_and_taking_it_back_the_first(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    before = (folder / "app.py").read_text()
    first = await builder.build(function(folder), Sink())
    (folder / "app.py").write_text("x = 2\n")
    second = await builder.build(function(folder), Sink())
    (folder / "app.py").write_text(before)
    assert await builder.build(function(folder), Sink()) == first
    assert second != first
    assert (store.tree_path(second) / "app.py").read_text() == "x = 2\n"
    assert (store.tree_path(first) / "app.py").read_text() == before


async def test_an_edit_links_what_it_did_not_touch(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    (folder / "model.bin").write_bytes(os.urandom(1000))
    first = await builder.build(function(folder), Sink())
    (folder / "app.py").write_text("x = 2\n")
    second = await builder.build(function(folder), Sink())
    inodes = {(store.tree_path(package) / "model.bin").stat().st_ino for package in (first, second)}
    assert len(inodes) == 1
    assert (folder / "model.bin").stat().st_ino not in inodes


async def test_a_pruned_predecessor_is_no_loss(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    (folder / "model.bin").write_bytes(b"data")
    store.release(await builder.build(function(folder), Sink()))
    store.prune()
    (folder / "app.py").write_text("x = 2\n")
    package = await builder.build(function(folder), Sink())
    assert (store.tree_path(package) / "model.bin").read_bytes() == b"data"


async def test_many_callers_share_one_build(builder: Builder, folder: Path) -> None:
    sink = Sink()
    packages = await asyncio.gather(*(builder.build(function(folder), sink) for _ in range(8)))
    assert len(set(packages)) == 1
    assert sink.texts.count("built") == 1


class Meddler(Sink):
    """Edits a file whenever a build has looked at the folder; ``times`` is how often."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__()
        self._path = path
        self._left = times

    def __call__(self, progress: Progress) -> None:
        super().__call__(progress)
        if progress.text.startswith("packaging") and self._left:
            self._left -= 1
            self._path.write_text(f"# {self._left} more to come\n")


async def test_an_edit_during_the_build_is_in_the_package(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    meddler = Meddler(folder / "app.py", times=1)
    package = await builder.build(function(folder), meddler)
    assert (store.tree_path(package) / "app.py").read_text() == "# 0 more to come\n"
    assert "the folder changed meanwhile; building again" in meddler.texts


async def test_a_new_file_during_the_build_is_in_the_package(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    package = await builder.build(function(folder), Meddler(folder / "new.py", times=1))
    assert (store.tree_path(package) / "new.py").is_file()


async def test_a_folder_that_keeps_changing_is_given_up(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    meddler = Meddler(folder / "app.py", times=1000)
    with pytest.raises(CallerError) as caught:
        await builder.build(function(folder), meddler)
    assert caught.value.code == "source-changing"
    assert meddler.seen[-1] == Progress("hello: package", "failed", finished=True)
    assert list((store.root / "index").glob("*")) == []


async def test_fingerprints(builder: Builder, folder: Path) -> None:
    first = builder.fingerprint(function(folder))
    assert builder.fingerprint(function(folder)) == first
    assert builder.fingerprint(function(folder, handler="other.handler")) == first
    assert builder.fingerprint(function(folder, "python3.13")) != first
    assert builder.fingerprint(function(folder, architecture="arm64")) != first
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.pyc").touch()
    assert builder.fingerprint(function(folder)) == first


def test_an_edit_that_hides_its_time_is_seen(builder: Builder, folder: Path) -> None:
    path = folder / "app.py"
    before, seen = builder.fingerprint(function(folder)), path.stat()
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert builder.fingerprint(function(folder)) != before


def test_a_file_just_written_gives_a_fingerprint_once(store: PackageStore, folder: Path) -> None:
    builder = Builder(store, LaterClock(ahead_s=0))
    (folder / "app.py").touch()
    first = builder.fingerprint(function(folder))
    assert builder.fingerprint(function(folder)) != first


def test_a_requirement_outside_the_folder_counts(builder: Builder, folder: Path) -> None:
    (folder / "requirements.txt").write_text("-r ../shared.txt\n")
    (folder.parent / "shared.txt").write_text("six==1.16.0\n")
    first = builder.fingerprint(function(folder))
    (folder.parent / "shared.txt").write_text("six==1.17.0\n")
    assert builder.fingerprint(function(folder)) != first


def test_fingerprints_of_images(builder: Builder, folder: Path) -> None:
    plain = function(folder)
    image = replace(plain, source=ImageSource("shop/orders:1"))
    assert builder.fingerprint(image) == builder.fingerprint(image)
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    built: Function = replace(plain, source=DockerfileSource(folder, dockerfile))
    first = builder.fingerprint(built)
    assert builder.fingerprint(built) == first
    (folder / "app.pyc").touch()
    assert builder.fingerprint(built) != first


@pytest.mark.parametrize(
    ("runtime", "handler", "missing"),
    [
        ("python3.12", "main.handler", "`main.py` nor `main/__init__.py`"),
        ("nodejs20.x", "index.handler", "`index.js` nor `index.mjs` nor `index.cjs`"),
    ],
)
async def test_a_missing_handler_is_said_and_built(
    builder: Builder, folder: Path, runtime: str, handler: str, missing: str
) -> None:
    sink = Sink()
    await builder.build(function(folder, runtime, handler=handler), sink)
    said = f"handler `{handler}` needs a file that is missing: {missing}"
    assert Progress("hello: notice", said, finished=True) in sink.seen


async def test_names_that_differ_by_case_are_said(builder: Builder, folder: Path) -> None:
    (folder / "APP.py").touch()
    if len(list(folder.iterdir())) != 2:
        pytest.skip("this file system holds just one of them")
    sink = Sink()
    await builder.build(function(folder), sink)
    assert any("differ by case only" in text for text in sink.texts)


async def test_a_bootstrap_must_be_there_and_executable(builder: Builder, folder: Path) -> None:
    provided = function(folder, "provided.al2023", handler="function.handler")
    with pytest.raises(CallerError) as missing:
        await builder.build(provided, Sink())
    assert missing.value.code == "bootstrap-missing"
    (folder / "bootstrap").write_text("#!/bin/sh\n")
    with pytest.raises(CallerError) as closed:
        await builder.build(provided, Sink())
    assert closed.value.code == "bootstrap-not-executable"
    (folder / "bootstrap").chmod(0o755)
    await builder.build(provided, Sink())


async def test_other_runtimes_ignore_files_of_python_and_node(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    (folder / "requirements.txt").write_text("no-such-distribution-at-all==1\n")
    (folder / "package.json").write_text('{"dependencies": {"no-such-package": "1"}}')
    package = await builder.build(function(folder, "ruby3.3"), Sink())
    assert set(shapes(store.tree_path(package))) == {"app.py", "requirements.txt", "package.json"}


async def test_the_loop_turns_during_a_build(builder: Builder, folder: Path) -> None:
    for number in range(100):
        (folder / f"file{number}.bin").write_bytes(os.urandom(20_000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count())
    await builder.build(function(folder), Sink())
    counter.cancel()
    assert turns > 20
