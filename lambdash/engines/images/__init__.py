"""Images: found, pulled, built from Dockerfiles, or made from this machine's own interpreter.

``ImageStore`` is loaded on first use: the process engine needs the table of runtimes, and no
Docker SDK.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambdash.engines.images.store import ImageDefaults, ImageStore, ImageStoreOptions

__all__ = ["ImageDefaults", "ImageStore", "ImageStoreOptions"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from lambdash.engines.images import store  # noqa: PLC0415 - the reason of this function

    return getattr(store, name)
