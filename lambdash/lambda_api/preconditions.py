"""What must hold before something is changed."""

from collections.abc import Mapping
from typing import Any

from lambdash.emulator.lifecycle import is_pending, is_updating
from lambdash.emulator.registry import VersionRecord
from lambdash.lambda_api.errors import ApiError, conflict
from lambdash.lambda_api.operation import Context, Parameters
from lambdash.lambda_api.references import arn_of

_NOT_NOW = "The operation cannot be performed at this time. "


def check_revision_id(
    document: Mapping[str, Any], parameters: Parameters, calls: str = "GetFunction/GetAlias"
) -> None:
    """412 unless ``RevisionId`` is absent or the document's own."""
    if parameters.get("RevisionId") not in (None, document.get("RevisionId")):
        raise ApiError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            f"Call the {calls} API to retrieve the latest Revision Id",
        )


def check_changeable(context: Context, record: VersionRecord) -> None:
    """409 while the function is being made, or changed.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """
    if is_pending(record.document):
        raise conflict(f"{_NOT_NOW}The function is currently in the following state: Pending")
    if is_updating(record.document):
        arn = arn_of(context, record.name)
        raise conflict(f"{_NOT_NOW}An update is in progress for resource: {arn}")
