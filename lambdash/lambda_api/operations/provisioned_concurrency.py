"""Provisioned concurrency of versions and aliases."""

from typing import Any

from lambdash import limits
from lambdash.emulator.registry import FunctionEntry
from lambdash.emulator.registry.documents import timestamp
from lambdash.lambda_api.errors import ApiError, conflict, invalid
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.operations.concurrency import reserved_concurrency, too_much
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.provisioning import (
    SETTING,
    provision,
    provisioned_total,
    version_behind,
)
from lambdash.lambda_api.references import (
    arn_of,
    existing_qualifier,
    function_of,
    reference,
)
from lambdash.model.arn import LATEST, pool_key

_PAGE_MAX = 50


@operation("PutProvisionedConcurrencyConfig")
def put_provisioned_concurrency_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html."""
    entry, qualifier = _asked(
        context,
        parameters,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    asked = parameters["ProvisionedConcurrentExecutions"]
    _check_others(context, entry, qualifier)
    _check_room(context, entry, qualifier, asked)
    document = {
        "RequestedProvisionedConcurrentExecutions": asked,
        "LastModified": timestamp(context.clock.wall()),
    }
    context.registry.put_setting(SETTING, entry.name, document, qualifier)
    provision(context, entry)
    begun = {
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
    }
    return {**document, **begun}


@operation("GetProvisionedConcurrencyConfig")
def get_provisioned_concurrency_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html."""
    entry, qualifier = _asked(context, parameters)
    document = context.registry.setting(SETTING, entry.name, qualifier)
    if document is None:
        raise ApiError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )
    return _shown(context, entry, qualifier, document)


@operation("DeleteProvisionedConcurrencyConfig")
def delete_provisioned_concurrency_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html."""
    entry, qualifier = _asked(context, parameters)
    context.registry.remove_setting(SETTING, entry.name, qualifier)
    provision(context, entry)
    return {}


@operation("ListProvisionedConcurrencyConfigs")
def list_provisioned_concurrency_configs(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html."""
    entry = function_of(context, reference(context, parameters))
    configs = [
        {
            **_shown(context, entry, qualifier, document),
            "FunctionArn": arn_of(context, entry.name, qualifier),
        }
        for qualifier, document in sorted(context.registry.settings(SETTING, entry.name).items())
    ]
    found, marker = page(configs, parameters, lambda one: str(one["FunctionArn"]), _PAGE_MAX)
    return {"ProvisionedConcurrencyConfigs": found, "NextMarker": marker}


def _asked(
    context: Context,
    parameters: Parameters,
    of_latest: str = "The function resource provided must be an alias or a published version.",
) -> tuple[FunctionEntry, str]:
    asked = reference(context, parameters)
    if asked.qualifier in (None, LATEST):
        raise invalid(of_latest)
    qualifier = existing_qualifier(context, asked)
    return function_of(context, asked), qualifier


def _check_others(context: Context, entry: FunctionEntry, qualifier: str) -> None:
    """A version is provisioned by itself or by one alias, never twice."""
    version = version_behind(entry, qualifier)
    others = context.registry.settings(SETTING, entry.name).keys() - {qualifier}
    if not any(version_behind(entry, other) == version for other in others):
        return
    if qualifier in entry.aliases:
        raise conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already "
            "Provisioned version"
        )
    raise conflict("Version is pointed by a Provisioned Concurrency alias")


def _check_room(context: Context, entry: FunctionEntry, qualifier: str, asked: int) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html."""
    held = context.registry.setting(SETTING, entry.name, qualifier) or {}
    others = provisioned_total(context, entry) - held.get(
        "RequestedProvisionedConcurrentExecutions", 0
    )
    reserved = reserved_concurrency(entry.latest).get("ReservedConcurrentExecutions")
    if reserved is not None:
        if others + asked > reserved:
            raise too_much(
                " Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
        return
    unreserved = context.emulator.account.unreserved_concurrent_executions
    if asked > unreserved:
        raise too_much(
            "Specified ConcurrentExecutions for function is greater than account's unreserved "
            f"concurrency [{unreserved}]."
        )
    if unreserved - asked < limits.UNRESERVED_CONCURRENCY_MIN:
        raise too_much(
            "Specified ConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{limits.UNRESERVED_CONCURRENCY_MIN}]."
        )


def _shown(context: Context, entry: FunctionEntry, qualifier: str, document: Any) -> dict[str, Any]:
    key = pool_key(entry.name, version_behind(entry, qualifier))
    now = context.emulator.provisioned(key)
    if now is None:
        return dict(document)
    found = {
        **document,
        "AllocatedProvisionedConcurrentExecutions": now.allocated,
        "AvailableProvisionedConcurrentExecutions": now.available,
        "Status": now.status.value,
    }
    if now.failure is not None:
        found["StatusReason"] = f"FUNCTION_ERROR_INIT_FAILURE ({now.failure.value})"
    return found
