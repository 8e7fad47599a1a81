"""The suite's own last check: it finds what a test leaves, and takes nothing of others for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.session import Session, processes_of

_ROOT = Path(__file__).parents[1]
_LEAVES = """
import subprocess

def test_that_leaves_a_process(tmp_path):
    command = "sleep 600 >/dev/null 2>&1 & echo $! > {pid}"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path).returncode == 0
"""


@pytest.mark.parametrize("plugins", [["-n2"], ["-p", "no:xdist"]], ids=["workers", "alone"])
def test_a_process_left_by_a_test_fails_the_session(tmp_path: Path, plugins: list[str]) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "test_leaving.py").write_text(_LEAVES.format(pid=pid))
    options = ["-q", "-c", str(_ROOT / "pyproject.toml"), "-p", "tests.conftest", *plugins]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    left = int(pid.read_text())
    subprocess.run(["kill", str(left)], check=True)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
    assert f"process {left} " in ran.stdout


def test_a_process_is_of_the_folder_it_knows(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "mine-not"
    for folder in (mine, other):
        folder.mkdir()
    known = {**dict.fromkeys(("PATH", "HOME"), "/usr/bin:/bin"), "SEEN": str(mine)}
    with subprocess.Popen(["sleep", "600"], env=known, cwd="/") as process:
        try:
            assert processes_of(mine) == {process.pid}
            assert processes_of(other) == set()
        finally:
            process.kill()


def test_the_session_has_a_folder_of_its_own(session: Session) -> None:
    assert session == Session.current()
    assert session.root.is_dir()
