"""A revision is what it holds: equal values have one id, any difference has another."""

from dataclasses import fields, replace
from typing import Any

import pytest

from lambdash.model import (
    FunctionConfiguration,
    ImageConfig,
    ImagePackage,
    LoggingConfig,
    Revision,
    ZipPackage,
)

CONFIGURATION = FunctionConfiguration("hello", "python3.13", "app.handler")
PACKAGE = ZipPackage("ab" * 32, 12)
OTHERS: dict[str, Any] = {
    "version": "3",
    "function_name": "other",
    "runtime": "python3.12",
    "handler": "app.other",
    "architecture": "arm64",
    "memory_size_mb": 256,
    "timeout_s": 4,
    "ephemeral_storage_mb": 1024,
    "environment": (("A", "1"),),
    "image_config": ImageConfig(command=("a",)),
    "base_image": "shop/python:3",
    "network": "shop",
    "extra_hosts": ("db:10.0.0.1",),
    "description": "says more",
    "logging": LoggingConfig("JSON"),
    "freeze": True,
    "cpu_proportional": True,
}


def test_equal_values_have_one_id() -> None:
    again = Revision(FunctionConfiguration("hello", "python3.13", "app.handler"), PACKAGE)
    assert Revision(CONFIGURATION, PACKAGE) == again
    assert again.id == Revision(CONFIGURATION, PACKAGE).id
    assert len(again.id) == 16
    assert int(again.id, 16) >= 0


@pytest.mark.parametrize("name", [field.name for field in fields(FunctionConfiguration)])
def test_every_setting_counts(name: str) -> None:
    changed = replace(CONFIGURATION, **{name: OTHERS[name]})
    assert Revision(changed, PACKAGE).id != Revision(CONFIGURATION, PACKAGE).id


def test_the_package_counts_by_its_digest_alone() -> None:
    revision = Revision(CONFIGURATION, PACKAGE)
    assert Revision(CONFIGURATION, ZipPackage("cd" * 32, 12)).id != revision.id
    assert Revision(CONFIGURATION, ZipPackage("ab" * 32, 99)).id == revision.id
    latest, first = (ImagePackage(f"shop/x:{tag}", "sha256:1") for tag in ("latest", "1"))
    assert Revision(CONFIGURATION, latest).id == Revision(CONFIGURATION, first).id


def test_a_revision_cannot_be_changed() -> None:
    revision = Revision(CONFIGURATION, PACKAGE)
    with pytest.raises(AttributeError):
        revision.id = "0"  # type: ignore[misc]
