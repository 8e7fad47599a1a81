"""After a restart: the packages of uploaded archives are in use again, the rest is let go."""

import logging
from collections.abc import Iterator

from lambdash.emulator.registry import Registry
from lambdash.errors import LambdashError
from lambdash.model import ArchiveSource, LayerSource, ZipPackage
from lambdash.packaging import PackageStore
from lambdash.packaging.layers import merge
from lambdash.packaging.unzip import store_zip
from lambdash.storage.archives import ArchiveStore
from lambdash.storage.functions import DeployedFunction

_log = logging.getLogger(__name__)


def restore_packages(registry: Registry, archives: ArchiveStore, store: PackageStore) -> None:
    """Take every package of an uploaded archive into use; a pruned one is unpacked anew. Blocking.

    Archives that nothing refers to any more are removed. Only at the start: an upload that is on
    its way is not referred to yet.
    """
    wanted = {str(layer["Archive"]) for layer in registry.objects("layer_version").values()}
    for deployed in _deployed(registry):
        wanted |= _digests(deployed, archives)
        try:
            _restore_code(deployed, archives, store)
            _restore_layers(deployed, archives, store)
        except (LambdashError, OSError) as error:
            _log.warning("the package of %s is lost", deployed.function.name, exc_info=error)
    archives.retain(wanted)


def _deployed(registry: Registry) -> Iterator[DeployedFunction]:
    for entry in registry.functions.values():
        for record in entry.versions.values():
            if record.deployed is not None:
                yield record.deployed


def _digests(deployed: DeployedFunction, archives: ArchiveStore) -> set[str]:
    """Those of the archives that the function was uploaded as, and of its published layers."""
    source = deployed.function.source
    code = {source.sha256} if isinstance(source, ArchiveSource) else set()
    return code | {layer.path.stem for layer in _published(deployed, archives)}


def _published(deployed: DeployedFunction, archives: ArchiveStore) -> list[LayerSource]:
    """The layers that were published through the API; a manifest's own are folders elsewhere."""
    layers = deployed.function.layers
    return [layer for layer in layers if layer.path == archives.path(layer.path.stem)]


def _restore_code(deployed: DeployedFunction, archives: ArchiveStore, store: PackageStore) -> None:
    source, package = deployed.function.source, deployed.package
    if not isinstance(source, ArchiveSource) or not isinstance(package, ZipPackage):
        return
    if not store.use(package):
        with archives.path(source.sha256).open("rb") as archive:
            store_zip(store, archive, deployed.function.name)


def _restore_layers(
    deployed: DeployedFunction, archives: ArchiveStore, store: PackageStore
) -> None:
    layers = _published(deployed, archives)
    if not layers or deployed.layers is None or store.use(deployed.layers):
        return
    trees = []
    for layer in layers:
        with layer.path.open("rb") as archive:
            trees.append(store_zip(store, archive, layer.name))
    merge(store, trees)
