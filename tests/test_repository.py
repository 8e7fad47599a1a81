"""The repository as a whole: sizes, one source of each fact, and a wheel that works by itself."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from shutil import copy2, copytree, ignore_patterns

import pytest
import uv

import lambdash

ROOT = Path(__file__).parent.parent
FILE_MAX_LINES = 400
SOURCES = (".py", ".c", ".h", ".mjs", ".sh")
# Split, so that this file does not find itself
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")))
KINDS = {*SOURCES, ".md", ".yaml", ".json", ".txt", ".patch", ".typed", ""}
TEXTS = (*SOURCES, ".md", ".toml", ".yaml", ".yml", ".json", ".txt", "")


def files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and "bin" not in path.parts]


def readme_blocks() -> list[str]:
    text = (ROOT / "README.md").read_text()
    return re.findall(r"```console\n\$ (.*)\n```", text)


def test_every_source_file_is_short() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in files("lambdash")
        if path.suffix in SOURCES and (count := len(path.read_text().splitlines())) > FILE_MAX_LINES
    }
    assert long == {}


def test_nothing_is_left_unfinished() -> None:
    paths = [*files("lambdash", "templates", "tests", "docs", ".ci"), *ROOT.glob("*.*")]
    marked = [
        str(path.relative_to(ROOT))
        for path in paths
        if path.suffix in TEXTS
        and path.is_file()
        and UNFINISHED.search(path.read_text(errors="replace"))
    ]
    assert marked == []


def test_nothing_stray_lies_in_a_folder() -> None:
    """Neither what a merge left (`.orig`, `.rej`) nor what a test downloaded (`.whl`)."""
    found = files("lambdash", "templates", "tests", "docs", ".ci")
    assert [path.relative_to(ROOT) for path in found if path.suffix not in KINDS] == []


def test_licence_and_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert changelog.startswith("# Changelog")
    assert re.search(r"^## \[", changelog, re.MULTILINE)


def test_the_version_has_one_source() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert configuration["project"]["dynamic"] == ["version"]
    assert configuration["tool"]["hatch"]["version"]["path"] == "lambdash/__init__.py"
    pattern = re.compile(rf"[\"']{re.escape(lambdash.__version__)}[\"']")
    holders = [path for path in files("lambdash") if path.suffix == ".py"]
    said = [path.relative_to(ROOT) for path in holders if pattern.search(path.read_text())]
    assert said == [Path("lambdash/__init__.py")]


def test_the_gate_runs_the_readmes_test_command() -> None:
    commands = [command for command in readme_blocks() if command.endswith("pytest")]
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[0] in (ROOT / "CONTRIBUTING.md").read_text()


def test_documents_link_to_what_is_there() -> None:
    broken = []
    for page in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]:
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        broken += [(page.name, to) for to in targets if not (page.parent / to).exists()]
    assert broken == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert {page for page in pages if f"(docs/{page})" not in readme} == set()


def test_every_package_has_its_layer() -> None:
    """In the table that people read, and in the list that import-linter holds."""
    modules = {path.stem for path in (ROOT / "lambdash").iterdir() if path.suffix in ("", ".py")}
    modules -= {"__init__", "__pycache__"}
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| layer |")[2].partition("\n\n")[0]
    assert modules - set(re.findall(r"`(\w+)`", table)) == set()
    layers = (ROOT / ".importlinter").read_text().partition("\n\n[")[2].partition("\n\n[")[0]
    assert modules - {"cli"} - set(re.findall(r"lambdash\.(\w+)", layers)) == set()


def test_every_variable_of_ours_is_documented() -> None:
    """But for what daemon and launcher say to one another, and what only shows a scheme."""
    internal = {
        "LAMBDASH_CONTROL",
        "LAMBDASH_GATEWAY_PORT",
        "LAMBDASH_PORT",
        "LAMBDASH_RELAY",
        "LAMBDASH_RELAY_SECRET",
    }
    internal |= {"LAMBDASH_LAUNCHER_H", "LAMBDASH_COMPLETE"}
    used = set()
    for path in [*files("lambdash"), ROOT / "hatch_build.py"]:
        if path.suffix in SOURCES:
            used.update(re.findall(r"\bLAMBDASH_[A-Z_]*[A-Z]", path.read_text()))
    documented = set(re.findall(r"`?(LAMBDASH_[A-Z_]+)", (ROOT / "docs" / "cli.md").read_text()))
    assert used - internal - documented == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy as pip would build it."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md"):
        copy2(ROOT / name, copy)
    ignored = ignore_patterns("__pycache__", "bin")
    for name in ("lambdash", "templates"):
        copytree(ROOT / name, copy / name, ignore=ignored)
    out = tmp_path_factory.mktemp("wheel")
    command = [uv.find_uv_bin(), "build", "--wheel", "--python", sys.executable, "--out-dir", out]
    ran = subprocess.run([*command, copy], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_all_that_is_needed(installed: Path) -> None:
    package = installed / "lambdash"
    assert (package / "py.typed").is_file()
    assert list((package / "engines" / "launcher" / "bin").glob("launcher-*"))
    shipped = {path.relative_to(package / "templates") for path in files_in(package / "templates")}
    assert shipped == {path.relative_to(ROOT / "templates") for path in files("templates")}
    for pattern in ("*.mjs", "container/*"):
        kept = {path.name for path in (ROOT / "lambdash/engines/images").rglob(pattern)}
        assert kept <= {path.name for path in (package / "engines/images").rglob(pattern)}
    assert not (installed / "tests").exists()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_wheel_knows_its_version_and_licence(wheel: Path, installed: Path) -> None:
    assert wheel.name.startswith(f"lambdash-{lambdash.__version__}-py3-none-")
    metadata = next(installed.glob("*.dist-info"))
    assert (metadata / "licenses" / "LICENSE").is_file()
    assert "lambdash = lambdash.cli.main:main" in (metadata / "entry_points.txt").read_text()


def test_an_installed_wheel_lists_its_templates(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, lambdash.cli.main as main; "
        f"assert main.__file__.startswith({str(installed)!r}); sys.exit(main.main())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "init", "--list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    for template in (ROOT / "templates").iterdir():
        assert template.name in ran.stdout
