import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdash.errors import PlatformError
from lambdash.model import ZipPackage
from lambdash.packaging import Builder, PackageStore
from lambdash.packaging.assemble import seal
from lambdash.packaging.tree import size_bytes, tree_digest
from tests.packaging.conftest import LaterClock, function

OPEN = """
import sys, pathlib
from lambdash.packaging import PackageStore
store = PackageStore(pathlib.Path(sys.argv[1]))
"""


def put(store: PackageStore, content: str, *, linked: Path | None = None) -> ZipPackage:
    """A package of one file, and a second one that is a link into the store."""
    with store.staging() as staged:
        (staged / "tree").mkdir()
        (staged / "tree" / "app.py").write_text(content)
        if linked is not None:
            (staged / "tree" / "shared").hardlink_to(linked)
        entries = seal(staged / "tree")
        package = ZipPackage(tree_digest(entries.values()), size_bytes(entries.values()))
        store.commit_package(staged, package, [staged / "tree" / "app.py"])
    store.record(f"fingerprint-of-{content}", package)
    return package


def left_in_staging(store: PackageStore) -> list[Path]:
    return list((store.root / "staging").glob("*"))


def other_process(store: PackageStore, script: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that opens the same store, runs ``script``, says so, and waits."""
    head = OPEN + "from lambdash.model import ZipPackage\n"
    tail = "\nprint('ready', flush=True)\nsys.stdin.readline()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", head + script + tail, str(store.root), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def ended() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_an_empty_store(store: PackageStore) -> None:
    assert store.find("nothing") is None
    assert store.size_bytes() == 0
    assert store.prune() == 0
    assert not store.use(ZipPackage("0" * 64, 0))


def test_a_package_is_found_by_its_fingerprint(store: PackageStore) -> None:
    package = put(store, "x = 1")
    assert store.find("fingerprint-of-x = 1") == package
    assert (store.tree_path(package) / "app.py").read_text() == "x = 1"
    assert left_in_staging(store) == []


def test_the_same_package_twice_is_one(store: PackageStore) -> None:
    put(store, "x = 1")
    size = store.size_bytes()
    put(store, "x = 1")
    assert store.size_bytes() == size
    assert left_in_staging(store) == []


def test_files_have_no_write_permission(store: PackageStore) -> None:
    package = put(store, "x = 1")
    assert stat.S_IMODE((store.tree_path(package) / "app.py").stat().st_mode) == 0o444


def test_what_fails_half_way_leaves_nothing(store: PackageStore) -> None:
    with pytest.raises(RuntimeError), store.staging() as staged:  # noqa: PT012
        (staged / "tree").mkdir()
        (staged / "tree" / "half").write_text("written")
        raise RuntimeError
    assert left_in_staging(store) == []
    assert store.size_bytes() == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"tree_digest": "x"}'])
def test_a_broken_index_entry_is_a_miss_and_is_pruned(store: PackageStore, content: bytes) -> None:
    package = put(store, "x = 1")
    entry = store.root / "index" / "fingerprint-of-x = 1"
    entry.write_bytes(content)
    assert store.find("fingerprint-of-x = 1") is None
    store.prune()
    assert not entry.exists()
    assert store.use(package)


def test_an_index_entry_of_a_package_that_is_gone(store: PackageStore) -> None:
    package = put(store, "x = 1")
    store.release(package)
    assert store.prune() == package.size_bytes
    assert store.find("fingerprint-of-x = 1") is None
    assert list((store.root / "index").iterdir()) == []


def test_prune_keeps_what_this_process_uses(store: PackageStore) -> None:
    kept, dropped = put(store, "x = 1"), put(store, "x = 22")
    store.release(dropped)
    assert store.prune() == dropped.size_bytes
    assert store.use(kept)
    assert not store.tree_path(dropped).exists()


def test_prune_keeps_what_another_process_uses_until_it_dies(
    store: PackageStore, ended: list[subprocess.Popen[str]]
) -> None:
    package = put(store, "x = 1")
    other = other_process(
        store, "assert store.use(ZipPackage(sys.argv[2], 0))", package.tree_digest
    )
    ended.append(other)
    store.release(package)
    assert store.prune() == 0
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert store.prune() == package.size_bytes
    assert len(list((store.root / "leases").iterdir())) == 1


def test_what_a_dead_process_left_in_staging_is_pruned_a_living_ones_is_not(
    store: PackageStore, ended: list[subprocess.Popen[str]]
) -> None:
    script = "staged = store.stage()\n(staged / 'half').write_text('x')"
    dead, living = other_process(store, script), other_process(store, script)
    ended.extend([dead, living])
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    assert len(left_in_staging(store)) == 2
    store.prune()
    assert [path.name.partition("-")[0] for path in left_in_staging(store)] == [str(living.pid)]


def test_close_ends_every_use(store: PackageStore) -> None:
    package = put(store, "x = 1")
    store.close()
    other = PackageStore(store.root)
    assert other.prune() == package.size_bytes
    other.close()


def test_shared_files_count_once_and_free_nothing_until_the_last(store: PackageStore) -> None:
    first = put(store, "a" * 100)
    second = put(store, "b", linked=store.tree_path(first) / "app.py")
    assert store.size_bytes() == 101
    store.release(first)
    assert store.prune() == 0
    store.release(second)
    assert store.prune() == 101


def test_a_budget_removes_the_least_recently_used_first(store: PackageStore) -> None:
    packages = [put(store, letter * 100) for letter in "abc"]
    for age, package in zip((300, 100, 200), packages, strict=True):
        store.release(package)
        stamp = 1_000_000 - age
        os.utime(store.tree_path(package).parent, (stamp, stamp))
    assert store.prune(budget_bytes=150) == 200
    assert [store.tree_path(package).exists() for package in packages] == [False, True, False]


def test_only_what_was_long_unused(store: PackageStore, clock: LaterClock) -> None:
    package = put(store, "x = 1")
    store.release(package)
    assert store.prune(unused_for_s=3600) == 0
    clock.ahead_s = 7200
    assert store.prune(unused_for_s=3600) == package.size_bytes


def test_processes_that_store_and_prune_at_once_never_lose_a_package_in_use(
    store: PackageStore, ended: list[subprocess.Popen[str]]
) -> None:
    script = """
from tests.packaging.test_store import put
for number in range(8):
    package = put(store, f"x = {number % 5}")
    assert (store.tree_path(package) / "app.py").is_file(), "pruned while in use"
    store.release(package)
    store.prune()
"""
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                OPEN + script,
                str(store.root),
            ],
            stdin=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended.extend(processes)
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    store.prune()
    assert left_in_staging(store) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("DISK FULL IS NOT TESTED: a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_a_full_disk_leaves_nothing_half_written(tiny_disk: Path, folder: Path) -> None:
    store = PackageStore(tiny_disk / "store", LaterClock())
    builder = Builder(store, LaterClock())
    small = await builder.build(function(folder), lambda progress: None)
    (folder / "large.bin").write_bytes(os.urandom(2 * 1024 * 1024))
    with pytest.raises(PlatformError) as caught:
        await builder.build(function(folder), lambda progress: None)
    assert caught.value.code == "disk-full"
    assert "prune" in caught.value.hint
    assert left_in_staging(store) == []
    assert [path.name for path in (store.root / "packages").iterdir()] == [small.tree_digest]
    (folder / "large.bin").unlink()
    assert await builder.build(function(folder), lambda progress: None) == small
    store.close()


async def test_a_disk_filled_by_the_installer(tiny_disk: Path, folder: Path) -> None:
    (folder / "requirements.txt").write_text("idna==3.10\n")
    store = PackageStore(tiny_disk / "store", LaterClock())
    (tiny_disk / "ballast").write_bytes(bytes(1000 * 1024))
    with pytest.raises(PlatformError) as caught:
        await Builder(store, LaterClock()).build(function(folder), lambda progress: None)
    assert caught.value.code == "disk-full"
    assert left_in_staging(store) == []
    store.close()


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformError) as caught:
        PackageStore(tmp_path / "file" / "store").stage()
    assert caught.value.code == "store-failed"


def test_a_store_knows_whether_anybody_uses_it(store: PackageStore) -> None:
    other = PackageStore(store.root)
    assert not PackageStore(store.root / "none").has_users()
    assert not other.has_users()
    with store.staging() as staged:
        (staged / "tree").mkdir()
        assert other.has_users()
    store.close()
    assert not other.has_users()
