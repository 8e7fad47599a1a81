import json
import os
import shutil
from pathlib import Path

import pytest

from lambdash.errors import CallerError, PlatformError
from lambdash.model import ZipPackage
from lambdash.model.progress import Progress
from lambdash.packaging import Builder, PackageStore
from lambdash.packaging.node_dependencies import node_dependencies
from lambdash.packaging.target import Target
from tests.packaging.conftest import LaterClock, function

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="NPM IS NOT INSTALLED")
TARGET = Target.of("nodejs20.x", "arm64")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "code"
    path.mkdir()
    (path / "index.js").write_text("exports.handler = async () => 1\n")
    return path


def write(folder: Path, **package: object) -> None:
    (folder / "package.json").write_text(json.dumps({"name": "hello", **package}))


async def build(builder: Builder, folder: Path, said: list[Progress] | None = None) -> ZipPackage:
    node = function(folder, "nodejs20.x", handler="index.handler")
    return await builder.build(node, (said if said is not None else []).append)


@needs_npm
async def test_a_package_from_the_registry(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    write(folder, dependencies={"is-number": "7.0.0"})
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "stale.js").touch()
    before = sorted(path.name for path in folder.rglob("*"))
    tree = store.tree_path(await build(builder, folder))
    assert (tree / "node_modules" / "is-number" / "index.js").is_file()
    assert not (tree / "node_modules" / "stale.js").exists()
    assert not (tree / "node_modules" / ".package-lock.json").exists()
    assert sorted(path.name for path in tree.iterdir()) == [
        "index.js",
        "node_modules",
        "package.json",
    ]
    assert sorted(path.name for path in folder.rglob("*")) == before


@needs_npm
async def test_a_lock_that_does_not_fit_is_an_error(builder: Builder, folder: Path) -> None:
    write(folder, dependencies={"is-number": "7.0.0"})
    lock = {"name": "hello", "lockfileVersion": 3, "packages": {"": {"name": "hello"}}}
    (folder / "package-lock.json").write_text(json.dumps(lock))
    with pytest.raises(CallerError) as caught:
        await build(builder, folder)
    assert caught.value.code == "dependencies-failed"
    assert "is-number" in caught.value.message


async def test_node_modules_without_dependencies_is_shipped(
    builder: Builder, store: PackageStore, folder: Path
) -> None:
    write(folder, type="commonjs")
    (folder / "node_modules" / "mine").mkdir(parents=True)
    (folder / "node_modules" / "mine" / "index.js").touch()
    tree = store.tree_path(await build(builder, folder))
    assert (tree / "node_modules" / "mine" / "index.js").is_file()


async def test_no_npm(store: PackageStore, clock: LaterClock, folder: Path, tmp_path: Path) -> None:
    write(folder, dependencies={"is-number": "7.0.0"})
    builder = Builder(store, clock, {"PATH": str(tmp_path)})
    with pytest.raises(PlatformError) as caught:
        await build(builder, folder)
    assert (caught.value.code, bool(caught.value.hint)) == ("npm-missing", True)


async def test_what_npm_is_asked_for_and_what_its_scripts_would_be(
    store: PackageStore, clock: LaterClock, folder: Path, tmp_path: Path
) -> None:
    """A stand-in for npm that writes down its arguments and a package with an install script."""
    npm = tmp_path / "npm"
    npm.write_text(
        "#!/bin/sh\nmkdir -p node_modules/native node_modules/.bin\n"
        "ln -s ../native/cli.js node_modules/.bin/native\n"
        'echo "$@" > node_modules/native/arguments\n'
        """echo '{"packages": {"node_modules/native": {"hasInstallScript": true}}}' """
        "> node_modules/.package-lock.json\n"
    )
    npm.chmod(0o755)
    write(folder, dependencies={"native": "1"})
    builder = Builder(store, clock, {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    said: list[Progress] = []
    tree = store.tree_path(await build(builder, folder, said))
    arguments = (tree / "node_modules" / "native" / "arguments").read_text().split()
    assert arguments[:2] == ["install", "--no-package-lock"]
    assert {"--omit=dev", "--ignore-scripts", "--os=linux", "--cpu=x64", "--libc=glibc"} <= set(
        arguments
    )
    assert (tree / "node_modules" / ".bin" / "native").readlink() == Path("../native/cli.js")
    assert any("native may need theirs" in progress.text for progress in said)


@pytest.mark.parametrize("spec", ["file:../lib", "link:./lib", "workspace:*", "../lib", "/lib"])
def test_local_packages_are_refused_by_name(folder: Path, spec: str) -> None:
    write(folder, dependencies={"lib": spec})
    with pytest.raises(CallerError) as caught:
        node_dependencies(folder, TARGET, {})
    assert caught.value.code == "not-supported-yet"
    assert f"`lib` is {spec}" in caught.value.message


def test_workspaces_are_refused(folder: Path) -> None:
    write(folder, dependencies={"a": "1"}, workspaces=["packages/*"])
    with pytest.raises(CallerError, match="workspaces"):
        node_dependencies(folder, TARGET, {})


@pytest.mark.parametrize("lock", ["yarn.lock", "pnpm-lock.yaml", "bun.lock"])
def test_locks_of_others_are_refused_unless_npm_has_its_own(folder: Path, lock: str) -> None:
    write(folder, dependencies={"a": "1"})
    (folder / lock).touch()
    with pytest.raises(CallerError, match=lock):
        node_dependencies(folder, TARGET, {})
    (folder / "package-lock.json").write_text("{}")
    wanted = node_dependencies(folder, TARGET, {})
    assert wanted is not None
    assert wanted.is_locked


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, "\xff"])
def test_a_package_json_that_is_none(folder: Path, content: str) -> None:
    (folder / "package.json").write_text(content, encoding="latin-1")
    with pytest.raises(CallerError) as caught:
        node_dependencies(folder, TARGET, {})
    assert caught.value.code == "package-json-invalid"


def test_the_target_and_the_lock_are_part_of_the_fingerprint(folder: Path) -> None:
    def fingerprint(architecture: str) -> str:
        wanted = node_dependencies(folder, Target.of("nodejs20.x", architecture), {})
        assert wanted is not None
        return wanted.fingerprint

    write(folder, dependencies={"a": "1"})
    plain = fingerprint("arm64")
    assert plain != fingerprint("x86_64")
    (folder / "package-lock.json").write_text("{}")
    assert plain != fingerprint("arm64")
