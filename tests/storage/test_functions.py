"""Deployed functions survive a restart as equal values."""

from pathlib import Path

import pytest

from lambdash.model import (
    DockerfileSource,
    FolderSource,
    Function,
    FunctionConfiguration,
    FunctionSource,
    ImageConfig,
    ImagePackage,
    ImageSource,
    Package,
    Scaling,
    ZipPackage,
)
from lambdash.storage.database import connect
from lambdash.storage.functions import DeployedFunction, FunctionStore

CONFIGURATION = FunctionConfiguration(
    function_name="hello",
    runtime="python3.13",
    handler="app.handler",
    environment=(("A", "1"), ("B", "ü")),
    image_config=ImageConfig(command=("app.handler",)),
    extra_hosts=("db:10.0.0.1",),
)
SOURCES: list[tuple[FunctionSource, Package]] = [
    (FolderSource(Path("/src")), ZipPackage("ab" * 32, 12)),
    (ImageSource("shop/orders:1"), ImagePackage("shop/orders:1", "sha256:0")),
    (
        DockerfileSource(Path("/c"), Path("/c/Dockerfile"), "final", (("A", "b"),)),
        ImagePackage("lambdash/x", "sha256:1"),
    ),
]


@pytest.mark.parametrize(("source", "package"), SOURCES)
def test_round_trip(tmp_path: Path, source: FunctionSource, package: Package) -> None:
    function = Function(CONFIGURATION, source, Scaling(max_environments=3), line=7)
    deployed = DeployedFunction(function, package, "fingerprint")
    first = FunctionStore(tmp_path / "state.sqlite")
    first.save(deployed)
    first.close()
    second = FunctionStore(tmp_path / "state.sqlite")
    assert second.load() == {"hello": deployed}
    assert second.load()["hello"].revision.id == deployed.revision.id
    second.remove("hello")
    assert second.load() == {}
    second.close()


def test_an_older_format_is_left_out(tmp_path: Path) -> None:
    store = FunctionStore(tmp_path / "state.sqlite")
    connection = connect(tmp_path / "state.sqlite", "")
    connection.execute("INSERT INTO functions VALUES ('old', '{\"function\": 1}')")
    connection.close()
    assert store.load() == {}
    store.close()
