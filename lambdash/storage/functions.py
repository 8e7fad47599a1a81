"""What is deployed: a function or a version of it, its package and its fingerprint."""

from dataclasses import dataclass
from enum import Enum

from pydantic import TypeAdapter, ValidationError

from lambdash.model import Function, Package, Revision, ZipPackage


class Origin(Enum):
    """Who made a function: ``deploy`` removes nothing that the API made."""

    MANIFEST = "manifest"
    API = "api"


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function as it was last deployed; the fingerprints are those of what it came from.

    ``layers`` is all its layers in one tree.
    """

    function: Function
    package: Package
    fingerprint: str
    layers: ZipPackage | None = None
    layers_fingerprint: str = ""
    origin: Origin = Origin.MANIFEST

    @property
    def revision(self) -> Revision:
        """The identity environments are made from."""
        return Revision(self.function.configuration, self.package, self.layers)


_DOCUMENT: TypeAdapter[DeployedFunction] = TypeAdapter(DeployedFunction)


def encoded(deployed: DeployedFunction) -> str:
    """As JSON text."""
    return _DOCUMENT.dump_json(deployed).decode()


def decoded(text: str) -> DeployedFunction | None:
    """What ``encoded`` made; None for an older format, to be built anew."""
    try:
        return _DOCUMENT.validate_json(text)
    except ValidationError:
        return None
