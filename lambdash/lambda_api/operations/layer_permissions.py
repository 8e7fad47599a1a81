"""The resource policy of a layer version."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.emulator.registry.documents import new_revision_id
from lambdash.lambda_api.errors import not_found
from lambdash.lambda_api.layers import POLICY, find, layer_arn, parse_layer, require_number
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.policies import (
    Statement,
    added,
    policy_text,
    removed,
    statement_of,
    statement_text,
)
from lambdash.lambda_api.revision_ids import precondition_failed

_NOT_CHECKED = {"Principal": "policies are kept, nothing is authorized by them"}


@operation("AddLayerVersionPermission", stored=_NOT_CHECKED)
def add_layer_version_permission(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html."""
    identity, arn = _existing(context, parameters)
    kept = context.registry.object(POLICY, identity) or {"Statement": [], "RevisionId": None}
    statement = statement_of(parameters, arn)
    statements = added(kept["Statement"], statement)
    _require(kept, parameters)
    revision = _keep(context, identity, statements)
    return {"Statement": statement_text(statement), "RevisionId": revision}


@operation("RemoveLayerVersionPermission")
def remove_layer_version_permission(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_RemoveLayerVersionPermission.html."""
    identity, _ = _existing(context, parameters)
    kept = _policy(context, identity)
    rest = removed(kept["Statement"], parameters["StatementId"])
    _require(kept, parameters)
    _keep(context, identity, rest)
    return {}


@operation("GetLayerVersionPolicy")
def get_layer_version_policy(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionPolicy.html."""
    identity, _ = _existing(context, parameters)
    kept = _policy(context, identity)
    return {"Policy": policy_text(kept["Statement"]), "RevisionId": kept["RevisionId"]}


def _existing(context: Context, parameters: Parameters) -> tuple[str, str]:
    """What the policy is kept under, and the version's ARN. Raises ``ApiError``."""
    name = parse_layer(context, parameters["LayerName"]).name
    version = parameters["VersionNumber"]
    require_number(version)
    arn = layer_arn(context, name, version)
    if find(context, name, version) is None:
        raise not_found(f"Layer version {arn} does not exist.")
    return f"{name}:{version}", arn


def _policy(context: Context, identity: str) -> Mapping[str, Any]:
    found = context.registry.object(POLICY, identity)
    if found is None:
        raise not_found("No policy is associated with the given resource.")
    return found


def _require(kept: Mapping[str, Any], parameters: Parameters) -> None:
    given = parameters.get("RevisionId")
    if given is not None and given != kept["RevisionId"]:
        raise precondition_failed("GetLayerPolicy")


def _keep(context: Context, identity: str, statements: Sequence[Statement]) -> str:
    revision = new_revision_id()
    if statements:
        document = {"Statement": list(statements), "RevisionId": revision}
        context.registry.put_object(POLICY, identity, document)
    else:
        context.registry.remove_object(POLICY, identity)
    return revision
