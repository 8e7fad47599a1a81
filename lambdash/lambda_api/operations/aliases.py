"""CreateAlias, GetAlias, UpdateAlias, DeleteAlias and ListAliases."""

from typing import Any

from lambdash import limits
from lambdash.emulator.registry import FunctionEntry
from lambdash.emulator.registry.documents import new_revision_id
from lambdash.lambda_api.errors import conflict, invalid, not_found
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.preconditions import check_revision_id
from lambdash.lambda_api.provisioning import provision
from lambdash.lambda_api.references import arn_of, function_of, reference
from lambdash.model.arn import LATEST


@operation("CreateAlias")
def create_alias(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html."""
    entry = function_of(context, reference(context, parameters))
    alias = parameters["Name"]
    if alias in entry.aliases:
        raise conflict(f"Alias already exists: {arn_of(context, entry.name, alias)}")
    document = {
        "Name": alias,
        "FunctionVersion": parameters["FunctionVersion"],
        "Description": parameters.get("Description", ""),
        "RevisionId": new_revision_id(),
        **_routing(parameters),
    }
    return _put(context, entry, document)


@operation("GetAlias")
def get_alias(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html."""
    entry = function_of(context, reference(context, parameters))
    return _shown(context, entry.name, _alias(context, entry, parameters["Name"]))


@operation("UpdateAlias")
def update_alias(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html."""
    entry = function_of(context, reference(context, parameters))
    document = dict(_alias(context, entry, parameters["Name"]))
    check_revision_id(document, parameters)
    for member in ("Description", "FunctionVersion"):
        if member in parameters:
            document[member] = parameters[member]
    if "RoutingConfig" in parameters:
        document.pop("RoutingConfig", None)
        document |= _routing(parameters)
    document["RevisionId"] = new_revision_id()
    return _put(context, entry, document)


@operation("DeleteAlias")
def delete_alias(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html; idempotent."""
    entry = function_of(context, reference(context, parameters))
    context.registry.remove_alias(entry.name, parameters["Name"])
    provision(context, entry)
    return {}


@operation("ListAliases")
def list_aliases(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html."""
    entry = function_of(context, reference(context, parameters))
    version = parameters.get("FunctionVersion")
    aliases = [
        _shown(context, entry.name, document)
        for _, document in sorted(entry.aliases.items())
        if version in (None, document["FunctionVersion"])
    ]
    found, marker = page(
        aliases, parameters, lambda one: str(one["AliasArn"]), limits.FUNCTIONS_PAGE_MAX
    )
    return {"Aliases": found, "NextMarker": marker}


def _alias(context: Context, entry: FunctionEntry, alias: str) -> Any:
    document = entry.aliases.get(alias)
    if document is None:
        raise not_found(f"Cannot find alias arn: {arn_of(context, entry.name, alias)}")
    return document


def _routing(parameters: Parameters) -> dict[str, Any]:
    weights = parameters.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}


def _put(context: Context, entry: FunctionEntry, document: dict[str, Any]) -> Result:
    _check_versions(context, entry, document)
    context.registry.put_alias(entry.name, document["Name"], document)
    provision(context, entry)
    return _shown(context, entry.name, document)


def _check_versions(context: Context, entry: FunctionEntry, document: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html."""
    own = document["FunctionVersion"]
    weights = document.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for version in (own, *weights):
        if version not in entry.versions:
            raise not_found(f"Function not found: {arn_of(context, entry.name, version)}")
    if weights and LATEST in (own, *weights):
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if own in weights:
        raise invalid(
            f"Invalid function version {own}. Function version {own} is already included in "
            "routing configuration."
        )


def _shown(context: Context, name: str, document: Any) -> dict[str, Any]:
    return {**document, "AliasArn": arn_of(context, name, document["Name"])}
