"""What the README shows is what happens, word for word; and the gate runs its command."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Begin
from tests.integration.engineless import without_engine
from tests.integration.project import Project

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_SET_UP = "python3 -m venv .venv && .venv/bin/pip install --quiet "


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _README, re.MULTILINE | re.DOTALL)


def _commands() -> list[str]:
    return [block.removeprefix("$ ").rstrip("\n") for block in _blocks("console")]


def test_the_readme_has_two_commands_and_the_gate_runs_the_second() -> None:
    main, tests = _commands()
    assert main.startswith(_SET_UP + ". && ")
    assert tests == _SET_UP + "--editable '.[dev]' && .venv/bin/pytest"
    gate = (_ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"\n{tests}\n" in gate
    contributing = (_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"$ {tests}\n" in contributing


@pytest.fixture(params=["none", pytest.param("docker", marks=pytest.mark.docker)])
def newcomer(request: pytest.FixtureRequest, begin: Begin) -> Iterator[tuple[Project, bool]]:
    """Nothing is set and nothing is there yet; and whether there is a container engine."""
    with_docker = request.param == "docker"
    if with_docker:
        request.getfixturevalue("docker_engine")
    with begin(None) as project:
        project.working = "."
        project.variables["LAMBDASH_MANIFEST"] = "demo"  # for the fixture's own `stop`
        yield project, with_docker


def _steps(command: str) -> list[list[str]]:
    """The command's steps after the set-up, each as the arguments of ``lambdash``."""
    steps = [shlex.split(step) for step in command.removeprefix(_SET_UP + ". && ").split(" && ")]
    assert all(step[0] == ".venv/bin/lambdash" for step in steps)
    return [step[1:] for step in steps]


def test_the_first_command_does_what_is_written_below_it(
    newcomer: tuple[Project, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, with_docker = newcomer
    prefix = () if with_docker else without_engine(project)
    steps = _steps(_commands()[0])
    for step in steps:
        ran = project.run(*step, prefix=prefix)
        assert ran.code == 0, ran
    shown = re.search(r"It answers `(.*?)`", _README)
    assert shown is not None
    assert ran.stdout.decode() == shown[1]
    assert re.search(_shape(_blocks("text")[0]), ran.stderr, re.MULTILINE)
    assert ("no container engine is installed" in ran.stderr) is not with_docker

    again = project.run(*steps[-1], prefix=prefix)
    assert again.stdout.decode() == shown[1].replace("1", "2"), "the same environment"
    source = project.folder / "hello" / "app.py"
    source.write_text(source.read_text().replace("{name}!", "{name}?"))
    edited = project.run(*steps[-1], prefix=prefix)
    assert edited.stdout.decode() == shown[1].replace("!", "?")
    _run_the_boto3_lines(project.status()["endpoint"], monkeypatch)


def _shape(line: str) -> str:
    """The documented line with any figures; a first call may have more phases than it."""
    shape = re.sub(r"\d+", r"\\d+", re.escape(line.rstrip("\n")).replace(r"\ ", " "))
    return "^" + shape.replace("= launch", r"= (?:\w+ \d+ \+ )*launch") + "$"


def _run_the_boto3_lines(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand: no region and no credentials come from elsewhere."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    (lines,) = _blocks("python")
    names: dict[str, Any] = {}
    exec(lines.replace("http://127.0.0.1:4566", endpoint), names)
    assert names["answer"]["StatusCode"] == 200


def test_the_manifest_of_the_readme_is_valid(plain: Project) -> None:
    (text,) = _blocks("yaml")
    plain.manifest.write_text(text)
    plain.write({"orders/app.py": "", "report/Dockerfile": "FROM scratch\n"})
    assert plain.run("validate").code == 0
