import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.packaging import Builder, Ignore
from lambdash.packaging.source import Digests, SourceChanged, scan
from tests.packaging.conftest import LaterClock, function


def read(folder: Path) -> list[str]:
    return [file.path for file in scan(folder, Ignore.for_folder(folder))]


async def refusal(builder: Builder, folder: Path) -> CallerError:
    with pytest.raises(CallerError) as caught:
        await builder.build(function(folder), lambda progress: None)
    assert caught.value.hint
    return caught.value


def test_files_come_sorted_and_ignored_folders_are_not_entered(folder: Path) -> None:
    (folder / "b").mkdir()
    (folder / "b" / "x.py").touch()
    (folder / "a.py").touch()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.cpython-312.pyc").touch()
    (folder / "empty").mkdir()
    assert read(folder) == ["a.py", "app.py", "b/x.py"]


async def test_a_folder_that_is_not_there(builder: Builder, tmp_path: Path) -> None:
    error = await refusal(builder, tmp_path / "missing")
    assert (error.code, "does not exist" in error.message) == ("code-not-found", True)


async def test_a_file_in_place_of_the_folder(builder: Builder, folder: Path) -> None:
    error = await refusal(builder, folder / "app.py")
    assert (error.code, "is not a folder" in error.message) == ("code-not-found", True)


async def test_a_fifo(builder: Builder, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    error = await refusal(builder, folder)
    assert error.code == "unsupported-file"
    assert "code/pipe is a FIFO" in error.message


async def test_a_socket(builder: Builder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # addresses of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
    error = await refusal(builder, folder)
    assert "code/sock is a socket" in error.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
async def test_a_device_file(builder: Builder, folder: Path) -> None:
    os.mknod(folder / "null", 0o020666, os.makedev(1, 3))
    error = await refusal(builder, folder)
    assert "code/null is a character device" in error.message


async def test_a_name_that_is_not_utf_8(builder: Builder, folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt"))).touch()
    error = await refusal(builder, folder)
    assert error.code == "unsupported-file"
    assert r"caf\xe9.txt is not UTF-8" in error.message


@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("out", "../elsewhere", "leaves the code folder"),
        ("lib/out", "../../elsewhere", "leaves the code folder"),
        ("absolute", "/etc/hosts", "is absolute"),
        ("self", "self", "leads back to itself"),
        ("lib/up", "..", "leads back to a folder that it lies in"),
        ("lib/here", ".", "leads back to a folder that it lies in"),
        ("sly", "lib/deep/../../../elsewhere", "leaves the code folder"),
    ],
)
async def test_links_that_aws_could_not_follow(
    builder: Builder, folder: Path, name: str, target: str, why: str
) -> None:
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / name).symlink_to(target)
    error = await refusal(builder, folder)
    assert error.code == "unsupported-link"
    assert f"code/{name} -> {target} {why}" in error.message


async def test_a_link_that_leaves_through_another(builder: Builder, folder: Path) -> None:
    (folder / "x" / "y").mkdir(parents=True)
    (folder / "near").symlink_to("x/y")
    (folder / "far").symlink_to("near/../../../elsewhere")
    assert (await refusal(builder, folder)).code == "unsupported-link"


async def test_an_ignored_bad_file_is_nobodys_business(builder: Builder, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / ".lambdashignore").write_text("pipe\n")
    await builder.build(function(folder), lambda progress: None)


async def test_an_ignore_file_deeper_down(builder: Builder, folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / ".lambdashignore").write_text("*.txt\n")
    ignore = Ignore.for_folder(folder, "!.lambdashignore")
    with pytest.raises(CallerError, match="below the folder's top"):
        scan(folder, ignore)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_a_file_that_cannot_be_read(builder: Builder, folder: Path) -> None:
    (folder / "app.py").chmod(0)
    assert (await refusal(builder, folder)).code == "code-unreadable"


async def test_more_than_aws_takes_names_the_largest(builder: Builder, folder: Path) -> None:
    for number in range(7):
        (folder / f"d{number}").mkdir()
        with (folder / f"d{number}" / "data").open("wb") as file:
            file.truncate((number + 10) * limits.MIB)
    with (folder / "model.bin").open("wb") as file:
        file.truncate(limits.UNZIPPED_PACKAGE_MAX_BYTES)
    error = await refusal(builder, folder)
    assert error.code == "package-too-large"
    largest = error.message.partition("largest: ")[2]
    assert [part.split()[0] for part in largest.split(", ")] == [
        "model.bin",
        "d6",
        "d5",
        "d4",
        "d3",
    ]


def test_only_what_changed_is_read_again(folder: Path) -> None:
    digests = Digests(LaterClock())
    (file,) = scan(folder, Ignore.for_folder(folder))
    first = digests.entry(folder, file)
    (folder / "app.py").unlink()
    assert digests.entry(folder, file) == first


class StoppedClock(LaterClock):
    """It is the moment of that change, however long a test takes."""

    def __init__(self, at_ns: int) -> None:
        super().__init__()
        self._at_ns = at_ns

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self._at_ns / 1e9, UTC)


def test_a_file_that_may_still_change_unseen_is_always_read(folder: Path) -> None:
    (file,) = scan(folder, Ignore.for_folder(folder))
    digests = Digests(StoppedClock(file.changed_ns))
    digests.entry(folder, file)
    (folder / "app.py").unlink()
    with pytest.raises(SourceChanged):
        digests.entry(folder, file)


def test_a_file_that_grew_since_the_walk(folder: Path) -> None:
    (file,) = scan(folder, Ignore.for_folder(folder))
    (folder / "app.py").write_text("longer than it was before, by far, is what this is now\n")
    with pytest.raises(SourceChanged):
        Digests(LaterClock()).entry(folder, file)
