"""Where things lie: one project per real file, addressable sockets, private folders."""

import os
from pathlib import Path

import pytest

from lambdash import limits, locations
from lambdash.errors import CallerError, PlatformError
from lambdash.model.project import locate

_MOUNTS = (
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n",
    "40 22 0:40 / /home rw - nfs4 server:/home rw\n",
    "41 40 8:2 / /home/ada/my\\040disk rw - xfs /dev/sdb1 rw\n",
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/x", "ext4"),
        ("/home/ada/x", "nfs4"),
        ("/homely", "ext4"),
        ("/home", "nfs4"),
        ("/home/ada/my disk/x", "xfs"),
    ],
)
def test_the_innermost_mount_decides(path: str, kind: str) -> None:
    assert locations.file_system_type(path, _MOUNTS) == kind


def test_two_spellings_of_one_file_are_one_project(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    manifest = tmp_path / "real" / "lambdash.yaml"
    manifest.touch()
    (tmp_path / "link").symlink_to("real")
    first, second = locate(manifest, {}), locate(tmp_path / "link" / "lambdash.yaml", {})
    assert first.id == second.id
    assert first.state_dir == second.state_dir == tmp_path / "real" / ".lambdash"
    assert len(first.id) == 12


def test_a_socket_can_always_be_addressed(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    for variables in ({"XDG_RUNTIME_DIR": str(deep)}, {"TMPDIR": str(deep)}):
        path = locations.socket_path("/lambdash.yaml", variables)
        assert len(os.fsencode(path)) <= limits.SOCKET_PATH_MAX_BYTES
        assert path.startswith(f"/tmp/lambdash-{os.getuid()}/")


def test_the_session_s_folder_comes_first(tmp_path: Path) -> None:
    session = Path("/tmp")
    found = locations.runtime_directory({"XDG_RUNTIME_DIR": str(session), "TMPDIR": "/"})
    assert found == "/tmp/lambdash"
    missing = locations.runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path / "no"), "TMPDIR": "/"})
    assert missing == f"/lambdash-{os.getuid()}"


def test_a_folder_others_can_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PlatformError) as caught:
        locations.secure_directory(str(folder), create=False)
    assert caught.value.code == "runtime-directory-unsafe"
    assert not locations.secure_directory(str(tmp_path / "missing"), create=False)
    assert locations.secure_directory(str(tmp_path / "made"), create=True)


def test_the_manifest_is_found_upwards_or_by_name(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    with pytest.raises(CallerError):
        locations.find_manifest("a", str(tmp_path))
    manifest = tmp_path / "a" / "lambdash.yml"
    manifest.touch()
    for named, folder in ((None, deep), ("a", tmp_path), ("lambdash.yml", tmp_path / "a")):
        assert locations.find_manifest(named, str(folder)) == str(manifest)
