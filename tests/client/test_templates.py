"""Templates: each is a valid project with a passing test of its own, and overwrites nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lambdash.client import local, templates
from lambdash.client.machine import newest_runnable
from lambdash.errors import CallerError


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("templates")
    for name in templates.TEMPLATES:
        templates.write(name, root / name)
    return root


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_a_template_is_a_valid_project_with_one_function(written: Path, name: str) -> None:
    result = local.validate(str(written / name / "lambdash.yaml"), {}, None)
    function = templates.TEMPLATES[name].function
    assert result["functions"] == [function]
    event = json.loads((written / name / "events" / f"{function}.json").read_text())
    assert event == {"name": "Ada"} or function != "hello"
    assert (written / name / "README.md").read_text()


# what fastapi's needs is installed in the integration tests, and its own test run there
@pytest.mark.parametrize("name", sorted(templates.TEMPLATES.keys() - {"fastapi"}))
def test_a_template_s_own_test_passes(written: Path, name: str) -> None:
    python = [sys.executable, "-B", "-m", "unittest"]
    argv = ["node", "--test"] if name == "node" else python
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    environ = {key: value for key, value in os.environ.items() if key != "GREETING"}
    ran = subprocess.run(
        argv, cwd=written / name, env=environ, capture_output=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert b"Ran 0 tests" not in ran.stderr


def test_the_runtime_is_one_that_can_run_here(written: Path) -> None:
    manifest = (written / "python" / "lambdash.yaml").read_text()
    assert f"runtime: {newest_runnable('python')}\n" in manifest
    assert os.access(written / "provided-shell" / "hello" / "bootstrap", os.X_OK)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(CallerError) as caught:
        templates.write("python", tmp_path)
    assert caught.value.code == "file-exists"
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("template", "folder", "hint"),
    [
        ("pyton", "new", "did you mean `python`?"),
        ("demo", ".", "a project in the folder `demo`: `lambdash init python demo`"),
        ("demo", "new", "there are: python, python-deps, "),
    ],
)
def test_an_unknown_template_is_somebodys_slip(template: str, folder: str, hint: str) -> None:
    with pytest.raises(CallerError) as unknown:
        templates.write(template, Path(folder))
    assert unknown.value.code == "template-not-found"
    assert unknown.value.hint.startswith(hint)


def test_every_template_folder_is_listed() -> None:
    folders = {path.name for path in templates.root().iterdir() if path.is_dir()}
    assert folders == set(templates.TEMPLATES)
