"""Finding the launcher: carried, or compiled once, or a hint."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdash.engines import launcher
from lambdash.errors import PlatformError


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    launcher.binary.cache_clear()
    launcher.native.cache_clear()
    yield
    launcher.binary.cache_clear()
    launcher.native.cache_clear()


@pytest.fixture
def uncarried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package without its binaries, as a checkout nobody built."""
    folder = tmp_path / "launcher"
    ignore = shutil.ignore_patterns("bin", "__pycache__")
    shutil.copytree(Path(launcher.__file__).parent, folder, ignore=ignore)
    monkeypatch.setattr(launcher, "_FOLDER", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.mark.skipif(shutil.which("cc") is None, reason="compiling needs a C compiler")
def test_it_is_compiled_once_into_the_cache(uncarried: Path, tmp_path: Path) -> None:
    made = launcher.native()
    assert made.is_relative_to(tmp_path / "cache" / "lambdash" / "launcher")
    stamp = made.stat().st_mtime_ns
    launcher.native.cache_clear()
    assert launcher.native().stat().st_mtime_ns == stamp
    assert subprocess.run([made], capture_output=True, check=False).returncode == 64


@pytest.mark.skipif(shutil.which("cc") is None, reason="compiling needs a C compiler")
def test_another_source_is_another_binary(uncarried: Path) -> None:
    before = launcher.native()
    with (uncarried / "relay.c").open("a") as source:
        source.write("/* changed */\n")
    launcher.native.cache_clear()
    assert launcher.native() != before


def test_a_source_that_does_not_compile_is_told(uncarried: Path) -> None:
    (uncarried / "relay.c").write_text("nonsense")
    with pytest.raises(PlatformError) as failed:
        launcher.native()
    assert failed.value.code == "launcher-compile"


def test_an_architecture_nobody_built_for_ends_with_a_hint(uncarried: Path) -> None:
    other = "arm64" if launcher.native().name.endswith("x86_64") else "x86_64"
    with pytest.raises(PlatformError) as missing:
        launcher.binary(other)
    assert missing.value.code == "launcher-missing"
    assert "wheel" in missing.value.hint


def test_without_a_compiler_the_hint_says_so(
    uncarried: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PlatformError) as missing:
        launcher.native()
    assert missing.value.code == "launcher-missing"


def test_a_binary_of_this_source_is_used_as_carried(uncarried: Path) -> None:
    name = launcher.native().name
    carried = uncarried / "bin" / name
    carried.parent.mkdir()
    carried.write_bytes(b"")
    carried.with_name(f"{name}.source").write_text(launcher._source_digest())
    launcher.native.cache_clear()
    assert launcher.native() == carried


def test_started_by_hand_it_explains_itself() -> None:
    ran = subprocess.run([launcher.native(), "--help"], env={}, capture_output=True, check=False)
    assert ran.returncode == 64
    assert b"started by lambdash" in ran.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="containers run Linux")
def test_the_linux_binary_needs_no_library() -> None:
    machine = "arm64" if launcher.native().name.endswith("arm64") else "x86_64"
    assert b"/lib64/ld-linux" not in launcher.binary(machine).read_bytes()[:4096]
