"""A version of a function as the API shows it."""

from typing import Any

from lambdash.emulator.registry import VersionRecord
from lambdash.lambda_api.operation import Context
from lambdash.lambda_api.references import arn_of

# Inputs of other names than their outputs, or shown elsewhere
_NOT_SHOWN = frozenset({"ImageConfig", "ImageUri"})


def shown(context: Context, record: VersionRecord, qualifier: str | None = None) -> dict[str, Any]:
    """AWS's ``FunctionConfiguration``; its ARN carries the qualifier that was asked for."""
    document = {name: value for name, value in record.document.items() if name not in _NOT_SHOWN}
    if "ImageConfig" in record.document:
        document["ImageConfigResponse"] = {"ImageConfig": record.document["ImageConfig"]}
    if qualifier is None and not record.is_latest:
        qualifier = record.version
    return {
        **document,
        "FunctionName": record.name,
        "FunctionArn": arn_of(context, record.name, qualifier),
        "Version": record.version,
    }


def without_state(configuration: dict[str, Any]) -> dict[str, Any]:
    """Lists leave out what changes by itself: AWS's note at ListFunctions names the members."""
    hidden = ("State", "LastUpdateStatus", "RuntimeVersionConfig")
    return {name: value for name, value in configuration.items() if not name.startswith(hidden)}
