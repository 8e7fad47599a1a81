"""The table of runtimes, and interpreters that are never of another version than asked."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import lambdash.engines.images as images
from lambdash.engines.images.runtimes import (
    RUNTIMES,
    Family,
    UvOptions,
    find_interpreter,
    runtime_client_tree,
    runtime_command,
    runtime_named,
)
from lambdash.errors import CallerError, PlatformError
from tests.engines.images.scripted_runtime_api import scripted

HERE = f"python3.{sys.version_info.minor}"


def test_the_table_is_of_one_piece() -> None:
    for identifier, row in RUNTIMES.items():
        assert row.identifier == identifier
        assert row.image == f"public.ecr.aws/lambda/{row.family.value}:{row.version}"
        assert row.glibc in ((2, 26), (2, 34))
        provided = row.family is Family.PROVIDED
        assert row.execution_environment == (None if provided else f"AWS_Lambda_{identifier}")


@pytest.mark.parametrize(
    ("identifier", "image", "glibc"),
    [
        ("python3.11", "public.ecr.aws/lambda/python:3.11", (2, 26)),
        ("python3.12", "public.ecr.aws/lambda/python:3.12", (2, 34)),
        ("nodejs20.x", "public.ecr.aws/lambda/nodejs:20", (2, 34)),
        ("provided.al2023", "public.ecr.aws/lambda/provided:al2023", (2, 34)),
        ("java8.al2", "public.ecr.aws/lambda/java:8.al2", (2, 26)),
    ],
)
def test_official_images(identifier: str, image: str, glibc: tuple[int, int]) -> None:
    assert (RUNTIMES[identifier].image, RUNTIMES[identifier].glibc) == (image, glibc)


def test_an_unknown_runtime_names_its_neighbours() -> None:
    with pytest.raises(CallerError) as caught:
        runtime_named("python3.113")
    assert caught.value.code == "runtime-unknown"
    assert "python3.11" in caught.value.hint


@pytest.mark.parametrize(
    "identifier", [i for i, row in RUNTIMES.items() if row.family.value == "python"]
)
def test_a_found_python_is_of_that_minor_version(identifier: str) -> None:
    found = find_interpreter(identifier)
    if found is None:
        return
    assert found.is_absolute()
    assert not found.is_symlink()
    ask = "import sys; print('python%d.%d' % sys.version_info[:2], sys.prefix == sys.base_prefix)"
    said = subprocess.run([found, "-I", "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [identifier, "True"]


@pytest.mark.parametrize("major", [18, 20, 22, 24])
def test_a_found_node_is_of_that_major_version(major: int) -> None:
    found = find_interpreter(f"nodejs{major}.x")
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        assert said.stdout.startswith(f"v{major}.")


def test_a_program_that_lies_about_its_name_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3.14").symlink_to(os.path.realpath(sys.executable))
    script = tmp_path / "python3.10"
    script.write_text("#!/bin/sh\necho '{}'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    found = [find_interpreter(identifier) for identifier in ("python3.14", "python3.10")]
    assert all(path is None or path.parent != tmp_path for path in found)


def test_a_virtual_environment_stands_for_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    monkeypatch.setenv("PATH", str(tmp_path / "venv" / "bin"))
    found = find_interpreter(HERE)
    assert found is not None
    assert not found.is_relative_to(tmp_path)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_python_client_serves_a_function_and_hides_the_machines_packages(
    cache_dir: Path, tmp_path: Path
) -> None:
    tree = runtime_client_tree(HERE, cache_dir, None, ())
    assert runtime_client_tree(HERE, cache_dir, None, ()) == tree
    assert [path.name for path in tree.parent.iterdir()] == [tree.name]
    (tmp_path / "app.py").write_text(
        "import sys\ndef handler(event, context):\n    return {'path': sys.path, 'event': event}\n"
    )
    variables = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": str(tmp_path)}
    with scripted({"a": 1}) as api:
        variables |= {"AWS_LAMBDA_RUNTIME_API": api.address, "LAMBDA_RUNTIME_DIR": str(tree)}
        with subprocess.Popen(runtime_command(HERE, tree), env=variables) as process:
            posted = api.answer()
            process.kill()
    assert posted.kind == "response"
    assert posted.document["event"] == {"a": 1}
    assert posted.document["path"][:2] == [str(tmp_path), str(tree)]
    assert not [entry for entry in posted.document["path"] if entry.endswith("-packages")]


def test_a_client_that_cannot_be_installed_leaves_nothing(tmp_path: Path) -> None:
    options = UvOptions(arguments=("--offline", "--no-cache", "--no-index"))
    with pytest.raises(PlatformError) as caught:
        runtime_client_tree(HERE, tmp_path, options)
    assert caught.value.code == "runtime-client-failed"
    assert "awslambdaric" in caught.value.message
    assert list((tmp_path / "runtime-clients").iterdir()) == []


def test_a_runtime_without_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlatformError) as caught:
        runtime_client_tree("java21", tmp_path)
    assert caught.value.code == "interpreter-missing"


@pytest.mark.parametrize(
    ("code", "kind", "document"),
    [
        ("return {'got': event, 'id': context.aws_request_id}", "response", None),
        (
            "raise ValueError('größe')",
            "error",
            {"errorType": "ValueError", "errorMessage": "größe"},
        ),
    ],
)
def test_the_python_client_works_without_its_compiled_module(
    cache_dir: Path, tmp_path: Path, code: str, kind: str, document: dict[str, str] | None
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(runtime_client_tree(HERE, cache_dir, None, ()), tree)
    for compiled in tree.glob("runtime_client.*"):
        compiled.unlink()
    fallback = Path(images.__file__).parent / "python_fallback" / "runtime_client.py"
    shutil.copy(fallback, tree)
    (tmp_path / "app.py").write_text(f"def handler(event, context):\n    {code}\n")
    variables = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": str(tmp_path)}
    with scripted({"a": "ü"}, {"a": "ü"}) as api:
        variables |= {"AWS_LAMBDA_RUNTIME_API": api.address, "LAMBDA_RUNTIME_DIR": str(tree)}
        with subprocess.Popen(runtime_command(HERE, tree), env=variables) as process:
            posted = [api.answer(), api.answer()]
            process.kill()
    assert [(each.kind, each.request_id) for each in posted] == [
        (kind, "request-1"),
        (kind, "request-2"),
    ]
    expected = document or {"got": {"a": "ü"}, "id": "request-1"}
    assert expected.items() <= posted[0].document.items()
    if document is not None:
        assert posted[0].headers["lambda-runtime-function-error-type"] == document["errorType"]


def test_a_cache_that_cannot_be_written_is_the_platforms_error(tmp_path: Path) -> None:
    (tmp_path / "runtime-clients").write_text("a file where the folder should be")
    with pytest.raises(PlatformError) as caught:
        runtime_client_tree(HERE, tmp_path)
    assert caught.value.code == "runtime-client-failed"
    assert str(tmp_path) in caught.value.message
