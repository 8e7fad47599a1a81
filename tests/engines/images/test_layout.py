"""The tar stream of a root file system."""

import io
import tarfile
from pathlib import Path

import pytest

from lambdash.engines.images.layout import Content, Directory, Layout, Link, stream
from lambdash.errors import PlatformError


def test_the_stream_is_a_tar_of_every_entry(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"x" * 700)
    program.chmod(0o750)
    layout = Layout()
    layout.add_file("/usr/bin/program", program)
    layout.add("/bin", Link("usr/bin"))
    layout.add("/etc/passwd", Content(b"root"))
    layout.add("/tmp", Directory(0o1777))
    layout.add("/" + "long/" * 60 + "name", Content(b"deep"))
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream(layout)))) as archive:
        members = {member.name: member for member in archive}
        copied = archive.extractfile("usr/bin/program")
        assert copied is not None
        assert copied.read() == b"x" * 700
    assert members["usr/bin"].isdir()
    assert members["usr/bin/program"].mode == 0o755
    assert members["bin"].linkname == "usr/bin"
    assert members["tmp"].mode == 0o1777
    assert "long/" * 60 + "name" in members
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}


def test_the_first_entry_at_a_path_stays() -> None:
    layout = Layout()
    layout.add("/a", Content(b"first"))
    layout.add("/a", Content(b"second"))
    assert layout.entries["/a"] == Content(b"first")


def test_a_tree_follows_links_and_leaves_out_what_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("a")
    (tmp_path / "link").symlink_to("sub/file")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "dropped").write_text("b")
    layout = Layout()
    layout.add_tree("/t", tmp_path, lambda path: path.name != "dropped")
    assert set(layout.entries) == {"/t", "/t/link", "/t/sub", "/t/sub/file"}
    assert layout.size_bytes == 2


def test_a_file_that_shrank_is_an_error_and_no_broken_archive(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    layout = Layout()
    layout.add_file("/file", file)
    file.write_bytes(b"x")
    with pytest.raises(PlatformError) as caught:
        list(stream(layout))
    assert caught.value.code == "file-changed"
