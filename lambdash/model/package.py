"""What a function's code has become: a folder in the store, or an image in the engine."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ZipPackage:
    """A built folder (``/var/task``, ``/opt``), identified by the digest of its uncompressed tree.

    The digest covers relative paths, modes, link targets and contents; never times or owners.
    """

    tree_digest: str
    size_bytes: int

    @property
    def digest(self) -> str:
        return self.tree_digest


@dataclass(frozen=True, slots=True)
class ImagePackage:
    """A container image the engine holds; ``digest`` is the engine's image id (``sha256:...``)."""

    reference: str
    digest: str


Package: TypeAlias = ZipPackage | ImagePackage
