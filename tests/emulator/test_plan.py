"""The plan: what differs, by name, and nothing that does not."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.emulator.plan import Change, Fingerprints, change_of
from lambdash.model import (
    FolderSource,
    Function,
    FunctionConfiguration,
    ImageSource,
    Scaling,
    ZipPackage,
)
from lambdash.storage.functions import DeployedFunction
from tests.model.test_revision import OTHERS

CONFIGURATION = FunctionConfiguration("hello", "python3.13", "app.handler")
FUNCTION = Function(CONFIGURATION, FolderSource(Path("/src")))
DEPLOYED = DeployedFunction(FUNCTION, ZipPackage("0", 1), "f1")


def test_new() -> None:
    assert change_of(None, FUNCTION, Fingerprints("f1")) == Change("hello", "create")


def test_unchanged() -> None:
    assert change_of(DEPLOYED, FUNCTION, Fingerprints("f1")) == Change("hello", "unchanged")
    moved = replace(FUNCTION, line=99)
    assert change_of(DEPLOYED, moved, Fingerprints("f1")).action == "unchanged", (
        "a line is no setting"
    )


@pytest.mark.parametrize(
    "name", [field.name for field in fields(CONFIGURATION) if field.name != "function_name"]
)
def test_a_setting(name: str) -> None:
    configuration: Any = replace(CONFIGURATION, **{name: OTHERS[name]})
    changed = replace(FUNCTION, configuration=configuration)
    assert change_of(DEPLOYED, changed, Fingerprints("f1")) == Change("hello", "update", (name,))


def test_code_source_and_scaling() -> None:
    assert change_of(DEPLOYED, FUNCTION, Fingerprints("f2")).why == ("code",)
    image = replace(FUNCTION, source=ImageSource("shop/x:1"))
    assert change_of(DEPLOYED, image, Fingerprints("f2")).why == ("source",)
    scaled = replace(FUNCTION, scaling=Scaling(max_environments=2))
    assert change_of(DEPLOYED, scaled, Fingerprints("f1")).why == ("scaling",)
    assert change_of(DEPLOYED, scaled, Fingerprints("f2")).why == ("code", "scaling")
