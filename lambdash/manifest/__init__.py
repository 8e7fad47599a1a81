"""lambdash.yaml: the grammar, its checks, and the functions it describes.

Pure but for reading the files it is given; ``docs/manifest.md`` is its reference.
"""

from lambdash.manifest.loading import LoadOptions, Manifest, find, load
from lambdash.manifest.problems import ManifestInvalid, Problem
from lambdash.manifest.schema import json_schema

__all__ = [
    "LoadOptions",
    "Manifest",
    "ManifestInvalid",
    "Problem",
    "find",
    "json_schema",
    "load",
]
