import os
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lambdash.packaging import Ignore
from lambdash.packaging.source import Digests, scan
from lambdash.packaging.tree import (
    Entry,
    largest_top_level,
    overlay,
    same_but_for_case,
    tree_digest,
)
from tests.packaging.conftest import LaterClock

FILES = {"app.py": b"x = 1\n", "lib/__init__.py": b"", "lib/deep/data.bin": bytes(range(256))}


def digest_of(folder: Path) -> str:
    digests = Digests(LaterClock())
    files = scan(folder, Ignore.for_folder(folder))
    return tree_digest([digests.entry(folder, file) for file in files])


def write(folder: Path, order: list[str], umask: int) -> None:
    before = os.umask(umask)
    try:
        for name in order:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(FILES[name])
        (folder / "run").write_text("#!/bin/sh\n")
        (folder / "run").chmod(0o777 & ~umask)
        (folder / "link").symlink_to("lib/deep")
    finally:
        os.umask(before)


def test_order_umask_times_and_place_do_not_count(tmp_path: Path) -> None:
    found = set()
    for round_number, umask in enumerate([0o022, 0o077, 0o002, 0o027]):
        folder = tmp_path / ("x" * (round_number + 1)) / "checkout"
        folder.mkdir(parents=True)
        order = sorted(FILES)
        random.Random(round_number).shuffle(order)
        write(folder, order, umask)
        for path in folder.rglob("*"):
            stamp = round_number * 1_000_000
            os.utime(path, (stamp, stamp), follow_symlinks=False)
        found.add(digest_of(folder))
    assert len(found) == 1


def test_what_does_count(tmp_path: Path) -> None:
    write(tmp_path, sorted(FILES), 0o022)
    digests = [digest_of(tmp_path)]
    (tmp_path / "app.py").write_bytes(b"x = 2\n")
    digests.append(digest_of(tmp_path))
    (tmp_path / "app.py").chmod(0o755)
    digests.append(digest_of(tmp_path))
    (tmp_path / "app.py").rename(tmp_path / "App.py")
    digests.append(digest_of(tmp_path))
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("lib")
    digests.append(digest_of(tmp_path))
    (tmp_path / "link").unlink()
    (tmp_path / "link").write_text("lib")
    digests.append(digest_of(tmp_path))
    assert len(set(digests)) == len(digests)


def test_the_digest_of_a_known_tree_never_changes() -> None:
    entries = [Entry("b", 0o755, 1, "d1"), Entry("a", 0, 0, "", "b")]
    assert tree_digest(entries) == (
        "f3ecd80d2c16881e6372938c57ffaf3a57a06f0984c32593c878dbe524febc06"
    )


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


def tree(paths: list[str], content: str) -> dict[str, Entry]:
    """A tree has no path that is a folder of another."""
    kept = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    return {path: Entry(path, 0o644, 1, content) for path in kept}


@given(below=st.lists(PATHS), above=st.lists(PATHS))
def test_an_overlay_is_a_tree_in_which_the_upper_one_is_whole(
    below: list[str], above: list[str]
) -> None:
    lower, upper = tree(below, "lower"), tree(above, "upper")
    both = overlay(lower, upper)
    assert both == tree(list(both), "lower") | upper
    assert all(both[path].digest == "upper" for path in upper)
    clear = [
        p
        for p in lower
        if not any(f"{p}/".startswith(f"{q}/") or f"{q}/".startswith(f"{p}/") for q in upper)
    ]
    assert set(clear) <= set(both)


def test_the_largest_names_at_the_top() -> None:
    entries = [Entry("a/x", 0o644, 5, ""), Entry("a/y", 0o644, 5, ""), Entry("b", 0o644, 7, "")]
    assert largest_top_level(entries, 1) == [("a", 10)]
    assert largest_top_level(entries, 5) == [("a", 10), ("b", 7)]


def test_names_that_differ_by_case_only() -> None:
    entries = [Entry(path, 0o644, 0, "") for path in ("Readme", "readme", "other")]
    assert same_but_for_case(entries) == [("Readme", "readme")]
