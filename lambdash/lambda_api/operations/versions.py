"""PublishVersion and ListVersionsByFunction."""

import hashlib
import json

from lambdash import limits
from lambdash.emulator.registry import VersionRecord
from lambdash.lambda_api.code_digest import with_digest
from lambdash.lambda_api.errors import invalid
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.preconditions import check_changeable, check_revision_id
from lambdash.lambda_api.presentation import shown, without_state
from lambdash.lambda_api.references import function_of, reference

_VOLATILE = ("RevisionId", "LastModified", "LastUpdate", "State")


@operation("PublishVersion", refused={"PublishTo": "managed instances"})
async def publish_version(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html.

    Nothing is published when neither code nor configuration changed since the last version.
    """
    entry = function_of(context, reference(context, parameters))
    latest = await with_digest(context, entry.latest)
    check_revision_id(latest.document, parameters)
    check_changeable(context, latest)
    asked, current = parameters.get("CodeSha256"), latest.document.get("CodeSha256")
    if asked not in (None, current):
        raise invalid(
            f"CodeSHA256 ({asked}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    return shown(context, published(context, latest, parameters.get("Description")))


def published(
    context: Context, latest: VersionRecord, description: str | None = None
) -> VersionRecord:
    """A new version, or the last one when nothing has changed since."""
    name = latest.name
    fingerprint = _fingerprint(latest)
    last = context.registry.setting("published", name)
    if last is not None and last["Fingerprint"] == fingerprint:
        same = context.registry.version(name, last["Version"])
        if same is not None:
            return same
    record = context.emulator.lifecycle.publish(name, description)
    document = {"Fingerprint": fingerprint, "Version": record.version}
    context.registry.put_setting("published", name, document)
    return record


def _fingerprint(latest: VersionRecord) -> str:
    """Of code and configuration, whatever changes by itself left out."""
    kept = {
        name: value for name, value in latest.document.items() if not name.startswith(_VOLATILE)
    }
    package = None if latest.deployed is None else latest.deployed.revision.id
    text = json.dumps([kept, package], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@operation("ListVersionsByFunction")
async def list_versions_by_function(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html."""
    entry = function_of(context, reference(context, parameters))
    records = [await with_digest(context, entry.latest), *entry.published()]
    found, marker = page(
        records, parameters, lambda record: record.version, limits.FUNCTIONS_PAGE_MAX
    )
    versions = [without_state(shown(context, record, record.version)) for record in found]
    return {"Versions": versions, "NextMarker": marker}
