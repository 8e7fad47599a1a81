"""After a restart: the packages of uploaded archives are in use again, the rest is let go."""

import logging
from collections.abc import Iterator

from lambdash.emulator.registry import Registry
from lambdash.errors import LambdashError
from lambdash.model import ArchiveSource, ZipPackage
from lambdash.packaging import PackageStore
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
    for deployed in _uploaded(registry):
        source = deployed.function.source
        assert isinstance(source, ArchiveSource)
        wanted.add(source.sha256)
        try:
            _restore(deployed, source, archives, store)
        except (LambdashError, OSError) as error:
            _log.warning("the package of %s is lost", deployed.function.name, exc_info=error)
    archives.retain(wanted)


def _uploaded(registry: Registry) -> Iterator[DeployedFunction]:
    for entry in registry.functions.values():
        for record in entry.versions.values():
            deployed = record.deployed
            if deployed is not None and isinstance(deployed.function.source, ArchiveSource):
                yield deployed


def _restore(
    deployed: DeployedFunction, source: ArchiveSource, archives: ArchiveStore, store: PackageStore
) -> None:
    package = deployed.package
    if isinstance(package, ZipPackage) and not store.use(package):
        with archives.path(source.sha256).open("rb") as archive:
            store_zip(store, archive, deployed.function.name)
