import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdash.errors import CallerError
from lambdash.model.progress import Progress
from lambdash.packaging import Builder, PackageStore
from lambdash.packaging.python_dependencies import requirement_files
from lambdash.packaging.target import Target
from tests.packaging.conftest import LaterClock, function


def tree_of(store: PackageStore, digest: str) -> Path:
    return store.root / "packages" / digest / "tree"


def offline(wheels: Path) -> Mapping[str, str]:
    """An environment in which uv finds the wheels of a folder and nothing else.

    Nothing is compiled, whichever interpreters this machine has: ``test_bytecode`` is about that.
    """
    return {
        **os.environ,
        "LAMBDASH_BYTECODE": "0",
        "UV_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
        "UV_CACHE_DIR": str(wheels.parent / "uv"),
        "PIP_CONFIG_FILE": os.devnull,
    }


def make_wheel(folder: Path, name: str, tag: str, files: Mapping[str, str]) -> Path:
    """A wheel of the given tag; ``files`` by path within it."""
    information = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-{tag}.whl"
    contents = {
        **files,
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{file},,\n" for file in contents) + f"{information}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in contents.items():
            wheel.writestr(file, content)
        wheel.writestr(f"{information}/RECORD", record)
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [
        ("python3.9", "x86_64", "x86_64-manylinux_2_17"),
        ("python3.11", "arm64", "aarch64-manylinux_2_17"),
        ("python3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("python3.14", "arm64", "aarch64-manylinux_2_34"),
    ],
)
def test_wheels_fit_the_runtimes_glibc(runtime: str, architecture: str, platform: str) -> None:
    assert Target.of(runtime, architecture).python_platform == platform


async def test_pure_packages_from_the_index(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    (folder / "requirements.txt").write_text("six==1.16.0\nidna==3.10\n")
    said: list[Progress] = []
    package = await builder.build(function(folder), said.append)
    tree = tree_of(store, package.tree_digest)
    assert (tree / "six.py").is_file()
    assert (tree / "idna" / "__init__.py").is_file()
    assert (tree / "idna-3.10.dist-info" / "METADATA").is_file()
    assert (tree / "app.py").is_file()
    assert not (tree / "bin").exists()
    assert not list(tree.rglob("*.pyc"))
    assert Progress("hello: dependencies", "installed", finished=True) in said


@pytest.mark.parametrize(("architecture", "tag"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
async def test_the_wheel_of_the_target_not_of_this_machine(
    builder: Builder, store: PackageStore, folder: Path, architecture: str, tag: str
) -> None:
    (folder / "requirements.txt").write_text("markupsafe==3.0.2\n")
    package = await builder.build(
        function(folder, "python3.12", architecture), lambda progress: None
    )
    tree = tree_of(store, package.tree_digest)
    wheel = (tree / "MarkupSafe-3.0.2.dist-info" / "WHEEL").read_text()
    assert f"Tag: cp312-cp312-manylinux_2_17_{tag}" in wheel
    assert (tree / "markupsafe" / f"_speedups.cpython-312-{tag}-linux-gnu.so").is_file()


async def test_installing_twice_gives_the_same_tree(
    folder: Path, tmp_path: Path, wheels: Path
) -> None:
    files = {
        "tool/__init__.py": "",
        "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool=tool:main\n",
    }
    make_wheel(wheels, "tool", "py3-none-any", files)
    (folder / "requirements.txt").write_text("tool\n")
    digests = set()
    for name in ("one", "another-place"):
        store = PackageStore(tmp_path / name, LaterClock())
        cache = {"UV_CACHE_DIR": str(tmp_path / name / "uv")}
        builder = Builder(store, LaterClock(), {**offline(wheels), **cache})
        digests.add(await builder.build(function(folder), lambda progress: None))
        tree = next((store.root / "packages").iterdir()) / "tree"
        assert "bin/tool" not in (tree / "tool-1.0.dist-info" / "RECORD").read_text()
        store.close()
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64", True),
        ("cp311-cp311-manylinux_2_28_x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", False),
        ("cp312-cp312-manylinux_2_17_x86_64", False),
    ],
)
async def test_a_wheel_that_does_not_fit_fails_the_build(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path, tag: str, fits: bool
) -> None:
    make_wheel(wheels, "native", tag, {"native.py": ""})
    (folder / "requirements.txt").write_text("native\n")
    builder = Builder(store, clock, offline(wheels))
    build = builder.build(function(folder, "python3.11"), lambda progress: None)
    if fits:
        await build
        return
    with pytest.raises(CallerError) as caught:
        await build
    assert caught.value.code == "dependencies-failed"
    assert "native" in caught.value.message
    assert "Python 3.11 on x86_64 with glibc 2.17" in caught.value.hint
    assert list((store.root / "staging").iterdir()) == []


async def test_an_index_that_cannot_be_reached(
    store: PackageStore, clock: LaterClock, folder: Path, tmp_path: Path
) -> None:
    (folder / "requirements.txt").write_text("six\n")
    environ = {
        **os.environ,
        "UV_DEFAULT_INDEX": "http://user:secret@127.0.0.1:1/simple",
        "UV_INDEX": "",
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    with pytest.raises(CallerError) as caught:
        await Builder(store, clock, environ).build(function(folder), lambda progress: None)
    assert caught.value.code == "dependencies-failed"
    assert "127.0.0.1:1" in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.hint


async def test_a_requirement_that_cannot_be_parsed(builder: Builder, folder: Path) -> None:
    (folder / "requirements.txt").write_text("six=>1.0\n")
    with pytest.raises(CallerError) as caught:
        await builder.build(function(folder), lambda progress: None)
    assert caught.value.code == "dependencies-failed"


async def test_the_source_wins_over_a_dependency(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path
) -> None:
    make_wheel(wheels, "lib", "py3-none-any", {"lib/a.py": "theirs", "lib/b.py": "theirs"})
    (folder / "requirements.txt").write_text("lib\n")
    (folder / "lib").mkdir()
    (folder / "lib" / "a.py").write_text("mine")
    builder = Builder(store, clock, offline(wheels))
    package = await builder.build(function(folder), lambda progress: None)
    tree = tree_of(store, package.tree_digest)
    assert [(tree / "lib" / name).read_text() for name in ("a.py", "b.py")] == ["mine", "theirs"]


async def test_an_edit_of_the_code_installs_nothing(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path
) -> None:
    make_wheel(wheels, "lib", "py3-none-any", {"lib.py": ""})
    (folder / "requirements.txt").write_text("lib\n")
    builder = Builder(store, clock, offline(wheels))
    first = await builder.build(function(folder), lambda progress: None)
    (folder / "app.py").write_text("x = 2\n")
    said: list[Progress] = []
    second = await builder.build(function(folder), said.append)
    assert {progress.task for progress in said} == {"hello: package"}
    files = [tree_of(store, package.tree_digest) / "lib.py" for package in (first, second)]
    assert files[0].samefile(files[1])
    assert files[0].stat().st_mode & 0o222 == 0


async def test_functions_with_equal_requirements_share_one_install(
    store: PackageStore, clock: LaterClock, tmp_path: Path, wheels: Path
) -> None:
    make_wheel(wheels, "lib", "py3-none-any", {"lib.py": ""})
    builder = Builder(store, clock, offline(wheels))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text("lib\n")
        (tmp_path / name / "app.py").write_text(name)
        await builder.build(function(tmp_path / name), lambda progress: None)
    assert len(list((store.root / "dependencies").iterdir())) == 1


async def test_pips_configuration_is_said(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path
) -> None:
    make_wheel(wheels, "lib", "py3-none-any", {"lib.py": ""})
    (folder / "requirements.txt").write_text("lib\n")
    environ = {
        **os.environ,
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
        "UV_CACHE_DIR": str(wheels.parent / "uv"),
    }
    said: list[str] = []
    await Builder(store, clock, environ).build(
        function(folder), lambda step: said.append(step.text)
    )
    assert any("using pip's configuration for" in text and "find-links" in text for text in said)


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable ./lib",
        "./lib",
        "../lib",
        ".",
        "lib @ file:///lib",
        "lib @ ./lib",
        "/lib",
        "file:///lib",
        "lib-1.0-py3-none-any.whl",
    ],
)
def test_local_projects_are_refused_by_line(folder: Path, line: str) -> None:
    (folder / "requirements.txt").write_text(f"six\n{line}\n")
    with pytest.raises(CallerError) as caught:
        requirement_files(folder)
    assert caught.value.code == "not-supported-yet"
    assert "requirements.txt:2" in caught.value.message


@pytest.mark.parametrize(
    "line",
    [
        "six==1.16.0",
        "--find-links ./wheels",
        "# ./lib",
        "a @ https://x/a.whl",
        "-r more.txt",
        "-rmore.txt",
        "--requirement=more.txt",
        "-c more.txt",
    ],
)
def test_other_lines_are_uvs_business(folder: Path, line: str) -> None:
    (folder / "requirements.txt").write_text(line)
    (folder / "more.txt").write_text("idna\n-r requirements.txt\n")
    assert (len(requirement_files(folder)) == 2) == ("more" in line)


def test_an_included_file_that_is_missing(folder: Path) -> None:
    (folder / "requirements.txt").write_text("-r none.txt\n")
    with pytest.raises(CallerError, match=r"none\.txt"):
        requirement_files(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["six"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"\nsix = "*"\n'),
        ("Pipfile", "[packages]\n"),
    ],
)
async def test_other_lists_of_dependencies_are_refused_by_name(
    builder: Builder, folder: Path, name: str, content: str
) -> None:
    (folder / name).write_text(content)
    with pytest.raises(CallerError) as caught:
        await builder.build(function(folder), lambda progress: None)
    assert caught.value.code == "not-supported-yet"
    assert f"code/{name}" in caught.value.message
    (folder / "requirements.txt").write_text("# none\n")
    await builder.build(function(folder), lambda progress: None)


async def test_a_pyproject_without_dependencies_is_fine(builder: Builder, folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\n')
    await builder.build(function(folder), lambda progress: None)


async def test_a_store_that_was_removed_is_filled_anew(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path
) -> None:
    make_wheel(wheels, "lib", "py3-none-any", {"lib.py": ""})
    (folder / "requirements.txt").write_text("lib\n")
    builder = Builder(store, clock, offline(wheels))
    await builder.build(function(folder), lambda progress: None)
    shutil.rmtree(store.root)
    (folder / "app.py").write_text("x = 2\n")
    package = await builder.build(function(folder), lambda progress: None)
    assert (store.tree_path(package) / "lib.py").is_file()


async def test_a_package_that_is_called_bin_keeps_its_modules(
    store: PackageStore, clock: LaterClock, folder: Path, wheels: Path
) -> None:
    files = {
        "bin/__init__.py": "",
        "bin/data.txt": "kept",
        "lib-1.0.dist-info/entry_points.txt": "[console_scripts]\ntool=bin:main\n",
    }
    make_wheel(wheels, "lib", "py3-none-any", files)
    (folder / "requirements.txt").write_text("lib\n")
    builder = Builder(store, clock, offline(wheels))
    package = await builder.build(function(folder), lambda progress: None)
    tree = store.tree_path(package)
    assert sorted(path.name for path in (tree / "bin").iterdir()) == ["__init__.py", "data.txt"]
    record = (tree / "lib-1.0.dist-info" / "RECORD").read_text()
    assert ("bin/tool" in record, "bin/data.txt" in record) == (False, True)
