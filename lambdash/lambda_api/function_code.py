"""The code that a request brings: kept as it was given, unpacked, or found among the images."""

import asyncio
import base64
import io
from dataclasses import dataclass
from typing import Any

from lambdash import limits
from lambdash.emulator.registry import VersionRecord
from lambdash.engines.protocol import PullPolicy
from lambdash.errors import CallerError
from lambdash.lambda_api.errors import ApiError, invalid
from lambdash.lambda_api.operation import Context, Parameters
from lambdash.model import FunctionSource, ImageSource, Package, ZipPackage
from lambdash.model.progress import silent
from lambdash.packaging.unzip import store_zip
from lambdash.storage.archives import code_sha256

CODE_PREFIX = "/_lambdash/code/"
S3_MEMBERS = ("S3Bucket", "S3Key", "S3ObjectVersion")
_UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


@dataclass(frozen=True, slots=True)
class Code:
    """``document`` are the members that AWS reports of it."""

    source: FunctionSource
    package: Package
    fingerprint: str
    document: dict[str, Any]


async def code_of(context: Context, name: str, given: Parameters) -> Code:
    """The package of ``Code``'s members (of UpdateFunctionCode: the request's own).

    Raises ``ApiError`` with AWS's words for what is missing, contradicts itself, or is no zip.
    """
    if given.get("ImageUri"):
        return await _image(context, given["ImageUri"])
    archive = given.get("ZipFile")
    bucket = any(given.get(member) for member in S3_MEMBERS)
    if archive is not None and bucket:
        raise invalid(
            "Please do not provide other FunctionCode parameters when providing a ZipFile."
        )
    if bucket:
        raise invalid(
            "S3Bucket and S3Key are not supported by this version of lambdash; "
            "upload the archive as ZipFile"
        )
    if archive is None:
        raise invalid("Please provide a source for function code.")
    return await asyncio.to_thread(_archive, context, name, archive)


def _archive(context: Context, name: str, archive: bytes) -> Code:
    if not archive:
        raise invalid("Uploaded file must be a non-empty zip")
    emulator = context.emulator
    try:
        package = store_zip(emulator.workshop.store, io.BytesIO(archive), name)
    except CallerError as error:
        raise refused_archive(error) from error
    source = emulator.archives.keep(archive)
    document = {"CodeSha256": code_sha256(source.sha256), "CodeSize": source.size_bytes}
    return Code(source, package, source.sha256, document)


def refused_archive(error: CallerError) -> ApiError:
    """What AWS says of an archive that the store does not take."""
    if error.code == "zip-invalid":
        return invalid(_UNZIP)
    if error.code == "zip-empty":
        return invalid("Uploaded file must be a non-empty zip")
    if error.code == "package-too-large":
        most = limits.UNZIPPED_PACKAGE_MAX_BYTES
        return invalid(f"Unzipped size must be smaller than {most} bytes")
    return invalid(error.sentences)


async def _image(context: Context, reference: str) -> Code:
    package = await context.emulator.engine.resolve_image(reference, PullPolicy.MISSING, silent)
    digest = package.digest.removeprefix("sha256:")
    document = {"CodeSha256": digest, "CodeSize": 0, "ImageUri": reference}
    return Code(ImageSource(reference), package, digest, document)


def code_location(context: Context, record: VersionRecord) -> dict[str, Any]:
    """AWS's ``FunctionCodeLocation``: where the code can be fetched."""
    deployed = record.deployed
    if deployed is not None and isinstance(deployed.package, ZipPackage):
        digest = base64.b64decode(record.document["CodeSha256"]).hex()
        return {
            "RepositoryType": "S3",
            "Location": f"{context.base_url}{CODE_PREFIX}{digest}.zip",
        }
    uri = record.document.get("ImageUri", "")
    return {"RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": uri}
