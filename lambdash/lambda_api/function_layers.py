"""The layers that a function's configuration names: looked up, checked, merged into one tree."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambdash import limits
from lambdash.errors import CallerError
from lambdash.lambda_api.errors import invalid
from lambdash.lambda_api.layers import Document, find, parse_layer, stored_package
from lambdash.lambda_api.operation import Context
from lambdash.model import LayerSource, Package, ZipPackage
from lambdash.packaging.layers import merge
from lambdash.storage.functions import DeployedFunction


@dataclass(frozen=True, slots=True)
class AttachedLayers:
    """``shown`` is what AWS reports of them; ``package`` all in one tree, None without layers.

    ``sources`` are their archives as they were uploaded, kept as long as a function has them.
    """

    shown: tuple[dict[str, Any], ...] = ()
    sources: tuple[LayerSource, ...] = ()
    package: ZipPackage | None = None
    fingerprint: str = ""

    def document(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """A function's document with these layers and no others."""
        rest = {name: value for name, value in old.items() if name != "Layers"}
        return {**rest, "Layers": list(self.shown)} if self.shown else rest

    def deployed(self, old: DeployedFunction) -> DeployedFunction:
        """A function with these layers and no others. Raises where they are too big together."""
        _check_size(old.package, self.package)
        function = replace(old.function, layers=self.sources)
        return replace(
            old, function=function, layers=self.package, layers_fingerprint=self.fingerprint
        )


async def attached_layers(context: Context, arns: Sequence[str]) -> AttachedLayers:
    """What ``Layers`` of CreateFunction and UpdateFunctionConfiguration stands for.

    https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html. Raises ``ApiError``.
    """
    if not arns:
        return AttachedLayers()
    documents = _found(context, arns)
    emulator = context.emulator

    def merged() -> ZipPackage:
        packages = [stored_package(emulator, one) for one in documents]
        return merge(emulator.workshop.store, packages)

    try:
        package = await asyncio.to_thread(merged)
    except CallerError as error:
        if error.code != "package-too-large":
            raise
        most = limits.UNZIPPED_PACKAGE_MAX_BYTES
        raise invalid(f"Layers consume more than the available size of {most} bytes") from error
    shown = tuple(
        {"Arn": one["LayerVersionArn"], "CodeSize": one["Content"]["CodeSize"]} for one in documents
    )
    sources = tuple(
        LayerSource(one["LayerVersionArn"], emulator.archives.path(one["Archive"]))
        for one in documents
    )
    fingerprint = hashlib.sha256("\n".join(arns).encode()).hexdigest()
    return AttachedLayers(shown, sources, package, fingerprint)


def _check_size(package: Package, layers: ZipPackage | None) -> None:
    if layers is None or not isinstance(package, ZipPackage):
        return
    total = package.size_bytes + layers.size_bytes
    if total > limits.UNZIPPED_PACKAGE_MAX_BYTES:
        raise invalid(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{limits.UNZIPPED_PACKAGE_MAX_BYTES} bytes. The actual size is {total} bytes."
        )


def _found(context: Context, arns: Sequence[str]) -> list[Document]:
    if len(arns) > limits.LAYERS_MAX:
        raise invalid(f"Cannot reference more than {limits.LAYERS_MAX} layers.")
    by_name: dict[str, str] = {}
    documents = []
    for arn in arns:
        layer = parse_layer(context, arn)
        document = None if layer.version is None else find(context, layer.name, layer.version)
        if document is None:
            raise invalid(f"Layer version {arn} does not exist.")
        if layer.name in by_name:
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the "
                f"same function. {by_name[layer.name]} and {arn}."
            )
        by_name[layer.name] = arn
        documents.append(document)
    return documents
