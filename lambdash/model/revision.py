"""The pool's unit of identity: one immutable whole of configuration, package and layers."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from lambdash.model.arn import pool_key
from lambdash.model.function import FunctionConfiguration
from lambdash.model.package import Package, ZipPackage


def _identify(
    configuration: FunctionConfiguration, package: Package, layers: ZipPackage | None
) -> str:
    document = {"configuration": asdict(configuration), "package": package.digest}
    if layers is not None:
        document["layers"] = layers.digest
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Revision:
    """An environment serves one revision for life, so a changed ``id`` is the only question asked.

    ``layers`` is all layers in one tree, for ``/opt``. ``id`` is the first 16 hex digits of a
    SHA-256 over the canonical JSON of all parts.
    """

    configuration: FunctionConfiguration
    package: Package
    layers: ZipPackage | None = None
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", _identify(self.configuration, self.package, self.layers))

    @property
    def function_name(self) -> str:
        return self.configuration.function_name

    @property
    def key(self) -> str:
        """What the pool routes by."""
        return pool_key(self.configuration.function_name, self.configuration.version)
