"""Deployed functions survive a restart as equal values."""

from pathlib import Path

import pytest

from lambdash.model import (
    ArchiveSource,
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
from lambdash.storage.functions import DeployedFunction, Origin, decoded, encoded

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
    (ArchiveSource("cd" * 32, 3), ZipPackage("ab" * 32, 12)),
    (ImageSource("shop/orders:1"), ImagePackage("shop/orders:1", "sha256:0")),
    (
        DockerfileSource(Path("/c"), Path("/c/Dockerfile"), "final", (("A", "b"),)),
        ImagePackage("lambdash/x", "sha256:1"),
    ),
]


@pytest.mark.parametrize(("source", "package"), SOURCES)
def test_round_trip(source: FunctionSource, package: Package) -> None:
    function = Function(CONFIGURATION, source, Scaling(max_environments=3), line=7)
    deployed = DeployedFunction(function, package, "fingerprint", origin=Origin.API)
    again = decoded(encoded(deployed))
    assert again == deployed
    assert again.revision.id == deployed.revision.id


def test_an_older_format_is_left_out() -> None:
    assert decoded('{"function": 1}') is None
