"""Layers: published, read, listed, deleted."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.registry.documents import timestamp
from lambdash.errors import CallerError
from lambdash.lambda_api.errors import invalid
from lambdash.lambda_api.function_code import CODE_PREFIX, S3_MEMBERS, refused_archive
from lambdash.lambda_api.layers import (
    Document,
    all_versions,
    existing,
    forget,
    keep,
    layer_arn,
    next_version,
    parse_layer,
    require_number,
    shown,
    shown_with_content,
    versions,
)
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.packaging.unzip import store_zip
from lambdash.storage.archives import code_sha256

_GIVEN = ("CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo")
_FILTERS = (
    ("CompatibleRuntime", "CompatibleRuntimes"),
    ("CompatibleArchitecture", "CompatibleArchitectures"),
)


@operation("PublishLayerVersion")
async def publish_layer_version(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""
    name = parse_layer(context, parameters["LayerName"]).name
    content = parameters["Content"]
    if any(content.get(member) for member in S3_MEMBERS):
        raise invalid(
            "S3Bucket and S3Key are not supported by this version of lambdash; "
            "upload the archive as ZipFile"
        )
    archive = content.get("ZipFile")
    if not archive:
        raise invalid("Uploaded file must be a non-empty zip")
    stored = await asyncio.to_thread(_store, context.emulator, name, archive)
    version = next_version(context, name)
    document = {
        "LayerName": name,
        "LayerArn": layer_arn(context, name),
        "LayerVersionArn": layer_arn(context, name, version),
        "Version": version,
        "Description": parameters.get("Description", ""),
        "CreatedDate": timestamp(context.clock.wall()),
        **{member: parameters[member] for member in _GIVEN if parameters.get(member)},
        **stored,
    }
    keep(context, document)
    return _shown(context, document)


def _store(emulator: Emulator, name: str, archive: bytes) -> dict[str, Any]:
    try:
        package = store_zip(emulator.workshop.store, io.BytesIO(archive), name)
    except CallerError as error:
        raise refused_archive(error) from error
    source = emulator.archives.keep(archive)
    return {
        "Content": {"CodeSha256": code_sha256(source.sha256), "CodeSize": source.size_bytes},
        "Archive": source.sha256,
        "Package": {"tree_digest": package.tree_digest, "size_bytes": package.size_bytes},
    }


@operation("GetLayerVersion")
def get_layer_version(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html."""
    name = parse_layer(context, parameters["LayerName"]).name
    return _shown(context, existing(context, name, parameters["VersionNumber"]))


@operation("GetLayerVersionByArn")
def get_layer_version_by_arn(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html."""
    layer = parse_layer(context, parameters["Arn"])
    return _shown(context, existing(context, layer.name, layer.version or 0))


@operation("DeleteLayerVersion")
def delete_layer_version(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html."""
    require_number(parameters["VersionNumber"])
    name = parse_layer(context, parameters["LayerName"]).name
    forget(context, name, parameters["VersionNumber"])
    return {}


@operation("ListLayerVersions")
def list_layer_versions(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html."""
    name = parse_layer(context, parameters["LayerName"]).name
    found = [one for one in versions(context, name) if _matches(parameters)(one)]
    listed, marker = page(
        found, parameters, lambda one: str(one["Version"]), limits.FUNCTIONS_PAGE_MAX
    )
    return {"LayerVersions": [shown(one) for one in listed], "NextMarker": marker}


@operation("ListLayers")
def list_layers(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html."""
    latest: dict[str, Document] = {}
    for one in filter(_matches(parameters), all_versions(context)):
        known = latest.get(one["LayerName"])
        if known is None or known["Version"] < one["Version"]:
            latest[one["LayerName"]] = one
    found, marker = page(sorted(latest), parameters, str, limits.FUNCTIONS_PAGE_MAX)
    layers = [
        {
            "LayerName": name,
            "LayerArn": latest[name]["LayerArn"],
            "LatestMatchingVersion": shown(latest[name]),
        }
        for name in found
    ]
    return {"Layers": layers, "NextMarker": marker}


def _matches(parameters: Parameters) -> Callable[[Document], bool]:
    """Whether a version says that it is for the runtime and architecture that were asked for."""
    wanted = [(many, parameters[one]) for one, many in _FILTERS if parameters.get(one)]
    return lambda document: all(value in document.get(many, ()) for many, value in wanted)


def _shown(context: Context, document: Document) -> dict[str, Any]:
    location = f"{context.base_url}{CODE_PREFIX}{document['Archive']}.zip"
    return shown_with_content(document, location)
