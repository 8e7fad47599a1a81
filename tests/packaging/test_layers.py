"""Layers from folders and archives, alone and merged."""

import asyncio
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.model import LayerSource, ZipPackage
from lambdash.model.progress import Progress, silent
from lambdash.packaging import LayerBuilder, PackageStore
from lambdash.packaging.layers import check_bootstrap_in, check_together, merge
from tests.packaging.conftest import LaterClock, function


@pytest.fixture
def layers(store: PackageStore, clock: LaterClock) -> LayerBuilder:
    return LayerBuilder(store, clock)


def folder_layer(root: Path, name: str, **files: str) -> LayerSource:
    for path, content in files.items():
        file = root / name / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return LayerSource(name, root / name)


def archive_layer(root: Path, name: str, **files: str) -> LayerSource:
    with zipfile.ZipFile(root / f"{name}.zip", "w") as archive:
        for path, content in files.items():
            archive.writestr(path.replace("__", "/"), content)
    return LayerSource(name, root / f"{name}.zip")


def contents(store: PackageStore, package: ZipPackage | None) -> dict[str, str]:
    assert package is not None
    tree = store.tree_path(package)
    files = [path for path in tree.rglob("*") if path.is_file()]
    return {path.relative_to(tree).as_posix(): path.read_text() for path in files}


async def test_no_layers(layers: LayerBuilder) -> None:
    assert await layers.build((), silent) is None
    assert layers.fingerprint(()) == ""


async def test_a_folder_and_an_archive_of_the_same_files_are_the_same_layer(
    layers: LayerBuilder, store: PackageStore, tmp_path: Path
) -> None:
    sources = [
        folder_layer(tmp_path, "a", python__shared="x", bin__tool="y"),
        archive_layer(tmp_path, "b", python__shared="x", bin__tool="y"),
    ]
    built = [await layers.build((source,), silent) for source in sources]
    assert built[0] == built[1]
    assert contents(store, built[0]) == {"python/shared": "x", "bin/tool": "y"}


async def test_later_layers_win_and_share_their_files(
    layers: LayerBuilder, store: PackageStore, tmp_path: Path
) -> None:
    one = folder_layer(tmp_path, "one", both="1", only__one="1", turns="file")
    two = archive_layer(tmp_path, "two", both="2", only__two="2", turns__folder="2")
    (tmp_path / "one" / "link").symlink_to("both")
    merged = await layers.build((one, two), silent)
    assert contents(store, merged) == {
        "both": "2",
        "only/one": "1",
        "only/two": "2",
        "turns/folder": "2",
        "link": "2",
    }
    alone = await layers.build((two,), silent)
    assert merged is not None
    assert alone is not None
    files = [store.tree_path(package) / "both" for package in (merged, alone)]
    assert os.path.samefile(*files)
    other = await layers.build((two, one), silent)
    assert contents(store, other)["both"] == "1"
    assert await layers.build((one, two), silent) == merged


async def test_a_layer_of_several_functions_is_built_once(
    layers: LayerBuilder, tmp_path: Path
) -> None:
    source = folder_layer(tmp_path, "common", bin__tool="x")
    said: list[Progress] = []
    await asyncio.gather(*(layers.build((source,), said.append) for _ in range(4)))
    assert [one.text for one in said if one.finished] == ["built"]


async def test_a_change_is_another_layer(
    layers: LayerBuilder, store: PackageStore, tmp_path: Path
) -> None:
    source = folder_layer(tmp_path, "common", bin__tool="x")
    before, fingerprint = await layers.build((source,), silent), layers.fingerprint((source,))
    assert layers.fingerprint((source,)) == fingerprint
    folder_layer(tmp_path, "common", bin__tool="yy")
    assert layers.fingerprint((source,)) != fingerprint
    assert await layers.build((source,), silent) != before
    archive = archive_layer(tmp_path, "zip", a="1")
    before, fingerprint = await layers.build((archive,), silent), layers.fingerprint((archive,))
    archive_layer(tmp_path, "zip", a="22")
    assert layers.fingerprint((archive,)) != fingerprint
    assert contents(store, await layers.build((archive,), silent)) == {"a": "22"}


async def test_what_is_no_layer(layers: LayerBuilder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.zip").write_bytes(b"no zip")
    listed = folder_layer(tmp_path, "listed", **{"requirements.txt": "boto3"})
    for source, code in (
        (LayerSource("empty", tmp_path / "empty"), "layer-empty"),
        (LayerSource("damaged", tmp_path / "damaged.zip"), "zip-invalid"),
        (LayerSource("gone", tmp_path / "gone"), "code-not-found"),
        (listed, "not-supported-yet"),
    ):
        with pytest.raises(CallerError) as refused:
            await layers.build((source,), silent)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"shared.py": ""}, "python"),
        ({"node_modules__x": ""}, "nodejs"),
        ({"python__x.py": ""}, ""),
    ],
)
async def test_modules_that_nobody_finds_are_told(
    layers: LayerBuilder, tmp_path: Path, files: dict[str, str], word: str
) -> None:
    said: list[Progress] = []
    await layers.build((folder_layer(tmp_path, "common", **files),), said.append)
    notices = [one.text for one in said if one.task.endswith(": notice") and one.finished]
    assert [word in notice for notice in notices] == ([True] if word else [])


async def test_all_together_have_awss_size(
    store: PackageStore, layers: LayerBuilder, tmp_path: Path
) -> None:
    small = await layers.build((folder_layer(tmp_path, "small", a="x"),), silent)
    assert small is not None
    huge = replace(small, size_bytes=limits.UNZIPPED_PACKAGE_MAX_BYTES)
    check_together(function(tmp_path), small, small)
    check_together(function(tmp_path), huge, None)
    with pytest.raises(CallerError, match=r"`hello` and its layers are 250\.0 MB") as refused:
        check_together(function(tmp_path), huge, small)
    assert refused.value.code == "package-too-large"


async def test_merged_layers_have_awss_size(store: PackageStore, tmp_path: Path) -> None:
    """Each fits, both together do not; sparse files, so that nobody waits."""
    packages = []
    for digest in ("a" * 64, "b" * 64):
        with store.staging() as staged:
            (staged / "tree").mkdir()
            with (staged / "tree" / digest[0]).open("wb") as file:
                file.truncate(130 * limits.MIB)
            package = ZipPackage(digest, 130 * limits.MIB)
            store.commit_package(staged, package, [])
        packages.append(package)
    with pytest.raises(CallerError, match="the layers together are 260"):
        merge(store, packages)
    with pytest.raises(CallerError, match="no longer in the store"):
        merge(store, [ZipPackage("c" * 64, 1), *packages])


def test_where_a_provided_runtime_finds_its_program(tmp_path: Path) -> None:
    code, opt = tmp_path / "code", tmp_path / "opt"
    code.mkdir()
    opt.mkdir()
    provided = function(code, runtime="provided.al2023")
    check_bootstrap_in(function(code), code, opt)
    with pytest.raises(CallerError) as refused:
        check_bootstrap_in(provided, code, opt)
    assert refused.value.code == "bootstrap-missing"
    (opt / "bootstrap").write_text("#!/bin/sh\n")
    with pytest.raises(CallerError) as refused:
        check_bootstrap_in(provided, code, opt)
    assert refused.value.code == "bootstrap-not-executable"
    (opt / "bootstrap").chmod(0o555)
    check_bootstrap_in(provided, code, opt)
