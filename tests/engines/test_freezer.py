"""The kernel's freezer, found in both versions of the hierarchy, by lines recorded on machines."""

from pathlib import Path

import pytest

from lambdash.engines.freezer import freezer_of

# recorded: Debian 11 with the first version, Fedora 40 with the second, both with Docker
FIRST = "9:name=systemd:/docker/ab\n6:freezer:/docker/ab\n4:memory:/docker/ab\n0::/docker/ab\n"
SECOND = "0::/system.slice/docker-ab.scope\n"
ROOT = "6:freezer:/\n4:memory:/user\n0::/\n"


class Machine:
    """A hierarchy and processes of a test's own."""

    def __init__(self, root: Path, theirs: str, ours: str) -> None:
        self.hierarchy, self.processes = root / "cgroup", root / "proc"
        for pid, text in (("7", theirs), ("self", ours)):
            (self.processes / pid).mkdir(parents=True)
            (self.processes / pid / "cgroup").write_text(text)

    def file(self, path: str) -> Path:
        file = self.hierarchy / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
        return file


@pytest.mark.parametrize(
    ("groups", "path", "frozen", "thawed"),
    [
        (FIRST, "freezer/docker/ab/freezer.state", "FROZEN\n", "THAWED\n"),
        (SECOND, "system.slice/docker-ab.scope/cgroup.freeze", "1\n", "0\n"),
    ],
)
async def test_both_versions(
    tmp_path: Path, groups: str, path: str, frozen: str, thawed: str
) -> None:
    machine = Machine(tmp_path, groups, ROOT)
    file = machine.file(path)
    freezer = freezer_of(7, machine.hierarchy, machine.processes)
    assert freezer is not None
    freezer.freeze()
    assert file.read_text() == frozen
    freezer.thaw()
    assert file.read_text() == thawed
    freezer.freeze()
    await freezer.release()
    assert file.read_text() == thawed
    freezer.freeze()
    await freezer.release()
    assert file.read_text() == thawed


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (ROOT, ROOT),
        (SECOND, SECOND),
        ("0::/system.slice\n", "0::/system.slice/lambdash.service\n"),
        ("6:freezer:/docker/ab\n", "6:freezer:/docker/ab/below\n"),
    ],
)
def test_never_our_own(tmp_path: Path, theirs: str, ours: str) -> None:
    machine = Machine(tmp_path, theirs, ours)
    machine.file("cgroup.freeze")
    machine.file("system.slice/cgroup.freeze")
    machine.file("system.slice/docker-ab.scope/cgroup.freeze")
    machine.file("freezer/docker/ab/freezer.state")
    assert freezer_of(7, machine.hierarchy, machine.processes) is None


def test_a_neighbour_with_a_longer_name_is_not_above_us(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "0::/docker/a\n", "0::/docker/ab\n")
    machine.file("docker/a/cgroup.freeze")
    assert freezer_of(7, machine.hierarchy, machine.processes) is not None


def test_where_there_is_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FIRST, ROOT)
    assert freezer_of(7, machine.hierarchy, machine.processes) is None
    assert freezer_of(8, machine.hierarchy, machine.processes) is None
