"""Layers as the registry keeps them: a counter for each name, and a document for each version.

A version's archive is kept as it was uploaded. Its tree in the shared store may be pruned; it is
unpacked again when a function needs it.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdash.emulator.emulator import Emulator
from lambdash.lambda_api.errors import ApiError, invalid, not_found
from lambdash.lambda_api.operation import Context
from lambdash.model import ZipPackage
from lambdash.packaging.unzip import store_zip

Document = Mapping[str, Any]
_LAYER = "layer"
_VERSION = "layer_version"
POLICY = "layer_policy"
# Ours, beside the members that AWS shows
_INTERNAL = frozenset({"Archive", "Package", "LayerName"})


@dataclass(frozen=True, slots=True)
class LayerReference:
    """A layer, or a version of it when there is a number."""

    name: str
    version: int | None = None


def parse_layer(context: Context, text: str) -> LayerReference:
    """A layer's name or ARN, with or without a version; the service model has checked its form.

    Raises ``ApiError`` for another region or account.
    """
    if not text.startswith("arn:"):
        return LayerReference(text)
    _, _, _, region, account, _, name, *version = text.split(":")
    place = context.place
    if region != place.region:
        raise invalid(
            "Layers are not in the same region as the function. "
            f"Layers are expected to be in region {place.region}."
        )
    if account != place.account_id:
        raise ApiError(
            "AccessDeniedException",
            f"User: arn:aws:iam::{place.account_id}:root is not authorized to perform: "
            f"lambda:GetLayerVersion on resource: {text} because no resource-based policy allows "
            "the lambda:GetLayerVersion action",
        )
    return LayerReference(name, int(version[0]) if version else None)


def layer_arn(context: Context, name: str, version: int | None = None) -> str:
    """The ARN of a layer, or of a version of it."""
    place = context.place
    arn = f"arn:aws:lambda:{place.region}:{place.account_id}:layer:{name}"
    return arn if version is None else f"{arn}:{version}"


def next_version(context: Context, name: str) -> int:
    """A number that no version of the layer ever had."""
    kept = context.registry.object(_LAYER, name) or {"LatestVersion": 0}
    number = int(kept["LatestVersion"]) + 1
    context.registry.put_object(_LAYER, name, {"LatestVersion": number})
    return number


def keep(context: Context, document: Document) -> None:
    """Store one version."""
    identity = f"{document['LayerName']}:{document['Version']}"
    context.registry.put_object(_VERSION, identity, document)


def find(context: Context, name: str, version: int) -> Document | None:
    """One version, or None."""
    return context.registry.object(_VERSION, f"{name}:{version}")


def forget(context: Context, name: str, version: int) -> None:
    """Remove one version and its policy; functions that have it keep it."""
    for kind in (_VERSION, POLICY):
        context.registry.remove_object(kind, f"{name}:{version}")


def versions(context: Context, name: str) -> list[Document]:
    """Those of one layer, newest first."""
    found = [one for one in all_versions(context) if one["LayerName"] == name]
    return sorted(found, key=lambda one: -int(one["Version"]))


def all_versions(context: Context) -> list[Document]:
    """Of every layer."""
    return list(context.registry.objects(_VERSION).values())


def existing(context: Context, name: str, version: int) -> Document:
    """Raises ``ApiError`` for a number that is none, and where there is no such version."""
    require_number(version)
    found = find(context, name, version)
    if found is None:
        raise not_found("The resource you requested does not exist.")
    return found


def require_number(version: int) -> None:
    """Raise ``InvalidParameterValueException`` for a number that no version can have."""
    if version < 1:
        raise invalid("Layer Version Cannot be less than 1.")


def shown(document: Document) -> dict[str, Any]:
    """As lists show a version."""
    hidden = {*_INTERNAL, "Content", "LayerArn"}
    return {name: value for name, value in document.items() if name not in hidden}


def shown_with_content(document: Document, location: str) -> dict[str, Any]:
    """As AWS shows a version by itself; ``location`` is where its archive can be fetched."""
    kept = {name: value for name, value in document.items() if name not in _INTERNAL}
    return {**kept, "Content": {**document["Content"], "Location": location}}


def stored_package(emulator: Emulator, document: Document) -> ZipPackage:
    """The version's tree, in the store and in use. Blocking. Raises ``PlatformError``."""
    package = ZipPackage(**document["Package"])
    store = emulator.workshop.store
    if store.use(package):
        return package
    archive = emulator.archives.path(document["Archive"]).read_bytes()
    return store_zip(store, io.BytesIO(archive), document["LayerName"])
