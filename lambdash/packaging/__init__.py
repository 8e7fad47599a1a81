"""From a source folder to a content-addressed package: fingerprint, dependencies, store."""

from lambdash.packaging.builder import Builder
from lambdash.packaging.ignore import IGNORE_FILE, Ignore
from lambdash.packaging.layer_builder import LayerBuilder
from lambdash.packaging.store import PackageStore

__all__ = ["IGNORE_FILE", "Builder", "Ignore", "LayerBuilder", "PackageStore"]
