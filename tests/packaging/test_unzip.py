"""Archives as people make them, and as an attacker would."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.packaging import PackageStore
from lambdash.packaging.unzip import store_zip, unzip

Fill = Callable[[zipfile.ZipFile], None]


def archive(fill: Fill) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        fill(opened)
    return made


def holding(**files: str) -> io.BytesIO:
    def fill(opened: zipfile.ZipFile) -> None:
        for name, content in files.items():
            opened.writestr(name, content)

    return archive(fill)


def named(name: str, mode: int = 0o644, content: bytes = b"x", system: int = 3) -> io.BytesIO:
    return archive(lambda opened: opened.writestr(info(name, mode, system), content))


def info(name: str, mode: int, system: int = 3) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = system
    made.external_attr = mode << 16
    return made


def links(**targets: str) -> io.BytesIO:
    def fill(opened: zipfile.ZipFile) -> None:
        opened.writestr("folder/file", "content")
        for name, target in targets.items():
            opened.writestr(info(name, stat.S_IFLNK | 0o777), target)

    return archive(fill)


def refused(content: io.BytesIO, tmp_path: Path) -> CallerError:
    with pytest.raises(CallerError) as caught:
        unzip(content, tmp_path / "tree", "code.zip")
    return caught.value


def test_files_modes_and_folders(store: PackageStore) -> None:
    def fill(opened: zipfile.ZipFile) -> None:
        opened.writestr(info("bin/", stat.S_IFDIR | 0o700), "")
        opened.writestr(info("bin/run", 0o744), "#!/bin/sh\n")
        opened.writestr(info("./app.py", 0o600), "x = 1")
        opened.writestr(info("from/windows.txt", 0o777, system=0), "y")

    package = store_zip(store, archive(fill), "code.zip")
    tree = store.tree_path(package)
    modes = {
        path.relative_to(tree).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tree.rglob("*")
    }
    assert modes == {
        "bin": 0o755,
        "bin/run": 0o555,
        "app.py": 0o444,
        "from": 0o755,
        "from/windows.txt": 0o444,
    }
    assert package.size_bytes == len("#!/bin/sh\nx = 1y")


def test_the_same_tree_is_the_same_package_as_a_folder(store: PackageStore) -> None:
    first = store_zip(store, holding(a="1", b="2"), "one")
    again = store_zip(store, holding(b="2", a="1"), "two")
    assert first == again
    assert list((store.root / "staging").iterdir()) == []


def test_a_later_file_of_the_same_name_wins(tmp_path: Path) -> None:
    def fill(opened: zipfile.ZipFile) -> None:
        opened.writestr("a", "first")
        opened.writestr("./a", "second")

    unzip(archive(fill), tmp_path / "tree", "code.zip")
    assert (tmp_path / "tree" / "a").read_text() == "second"


def test_names_in_utf_8_whether_or_not_the_archive_says_so(tmp_path: Path) -> None:
    said = holding(**{"größe.py": "x"})
    unsaid = io.BytesIO(said.getvalue().replace(b"\x00\x08", b"\x00\x00"))
    for number, content in enumerate((said, unsaid)):
        tree = tmp_path / str(number)
        assert list(unzip(content, tree, "code.zip")) == ["größe.py"]


def test_links_within(tmp_path: Path) -> None:
    content = links(**{"near": "folder/file", "folder/back": "../folder/file", "dangling": "nope"})
    entries = unzip(content, tmp_path / "tree", "code.zip")
    assert entries["near"].link == "folder/file"
    assert (tmp_path / "tree" / "near").read_text() == "content"
    assert (tmp_path / "tree" / "folder" / "back").read_text() == "content"


@pytest.mark.parametrize(
    "targets",
    [
        {"out": "../outside"},
        {"out": "/etc/passwd"},
        {"out": "folder/../../outside"},
        {"first": "folder", "folder/second": "../first/../../outside"},
        {"here": "."},
        {"folder/up": ".."},
        {"self": "self"},
        {"one": "two", "two": "one"},
        {"empty": ""},
        {"nul": "a\0b"},
        {"long": "x" * 5000},
        {"a/b": "../folder", "a": "folder"},
    ],
)
def test_links_that_leave_or_turn_in_circles(tmp_path: Path, targets: dict[str, str]) -> None:
    assert refused(links(**targets), tmp_path).code == "zip-unsafe"


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/x", "C:/x", "a\\b", "a/..", "x" * 256, "a/" * 200 + "x"],
)
def test_names_that_leave(tmp_path: Path, name: str) -> None:
    error = refused(named(name), tmp_path)
    assert error.code == "zip-unsafe"
    assert list(tmp_path.rglob("x")) == []


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_special_files(tmp_path: Path, kind: int) -> None:
    assert refused(named("device", kind | 0o666), tmp_path).code == "zip-unsafe"


def test_a_file_below_a_file_or_a_link(tmp_path: Path) -> None:
    def fill(opened: zipfile.ZipFile) -> None:
        opened.writestr(info("out", stat.S_IFLNK | 0o777), "/tmp")
        opened.writestr("out/pwned", "x")

    assert refused(archive(fill), tmp_path).code == "zip-unsafe"
    assert refused(holding(**{"a": "1", "a/b": "2"}), tmp_path).code == "zip-unsafe"


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\xff" * 30])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    assert refused(io.BytesIO(content), tmp_path).code in {"zip-invalid", "package-too-large"}


def test_an_empty_archive(tmp_path: Path) -> None:
    assert refused(holding(), tmp_path).code == "zip-empty"
    assert refused(named("folder/", stat.S_IFDIR | 0o755, b""), tmp_path).code == "zip-empty"


def test_a_damaged_file(tmp_path: Path) -> None:
    content = bytearray(named("a", content=os.urandom(4096)).getvalue())
    content[100] ^= 0xFF
    assert refused(io.BytesIO(bytes(content)), tmp_path).code == "zip-invalid"


def test_an_encrypted_or_strangely_compressed_file(tmp_path: Path) -> None:
    content = bytearray(holding(a="x").getvalue())
    directory = content.rfind(b"PK\x01\x02")
    content[directory + 8] |= 1
    assert "encrypted" in refused(io.BytesIO(bytes(content)), tmp_path).message
    content[directory + 8] &= 0xFE
    content[directory + 10] = 12
    assert "method 12" in refused(io.BytesIO(bytes(content)), tmp_path).message


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    zeros = b"\0" * limits.MIB

    def fill(opened: zipfile.ZipFile) -> None:
        with opened.open("zeros", "w") as file:
            for _ in range(251):
                file.write(zeros)

    error = refused(archive(fill), tmp_path)
    assert error.code == "package-too-large"
    assert not (tmp_path / "tree").exists()


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    content = bytearray(holding(a="x" * 100_000).getvalue())
    directory = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, directory + 24, 10)
    assert refused(io.BytesIO(bytes(content)), tmp_path).code == "zip-invalid"
    assert (tmp_path / "tree" / "a").stat().st_size <= 10


def test_a_directory_too_long_to_read(tmp_path: Path) -> None:
    content = bytearray(holding(a="x").getvalue())
    struct.pack_into("<L", content, content.rfind(b"PK\x05\x06") + 12, 0x7FFFFFFF)
    assert refused(io.BytesIO(bytes(content)), tmp_path).code == "package-too-large"


def test_a_directory_in_the_64_bit_form(tmp_path: Path) -> None:
    content = holding(a="x").getvalue()
    end = content.rfind(b"PK\x05\x06")
    size, offset = struct.unpack_from("<LL", content, end + 12)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    made = io.BytesIO(content[:end] + record + locator + content[end:])
    assert list(unzip(made, tmp_path / "tree", "code.zip")) == ["a"]
    huge = record[:40] + struct.pack("<Q", 1 << 40) + record[48:]
    made = io.BytesIO(content[:end] + huge + locator + content[end:])
    assert refused(made, tmp_path / "other").code == "package-too-large"
    made = io.BytesIO(content[:end] + b"x" * 56 + locator + content[end:])
    assert refused(made, tmp_path / "other").code == "zip-invalid"


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 40))
def test_any_damage_is_read_or_refused_as_the_callers_mistake(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int, cut: int
) -> None:
    content = bytearray(links(near="folder/file").getvalue())
    content[position % len(content)] = value
    folder = tmp_path_factory.mktemp("damaged")
    with suppress(CallerError):
        unzip(io.BytesIO(bytes(content[: len(content) - cut])), folder / "tree", "code.zip")
