"""Reserved concurrency, and the account's settings."""

from dataclasses import replace
from typing import Any

from lambdash import limits
from lambdash.emulator.registry import FunctionEntry, VersionRecord
from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.provisioning import provisioned_total
from lambdash.lambda_api.references import function_of, reference
from lambdash.model import Scaling


@operation("PutFunctionConcurrency")
def put_function_concurrency(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html."""
    entry = function_of(context, reference(context, parameters))
    asked = parameters["ReservedConcurrentExecutions"]
    _check(context, entry, asked)
    _rescale(context, entry, asked)
    return {"ReservedConcurrentExecutions": asked}


@operation("GetFunctionConcurrency")
def get_function_concurrency(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html."""
    entry = function_of(context, reference(context, parameters))
    return reserved_concurrency(entry.latest)


@operation("DeleteFunctionConcurrency")
def delete_function_concurrency(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html."""
    _rescale(context, function_of(context, reference(context, parameters)), None)
    return {}


def reserved_concurrency(latest: VersionRecord) -> dict[str, int]:
    """AWS's ``Concurrency``; empty where nothing is reserved."""
    reserved = _scaling(latest).reserved_concurrent_executions
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


def _check(context: Context, entry: FunctionEntry, asked: int) -> None:
    account = context.emulator.account
    own = _scaling(entry.latest).reserved_concurrent_executions or 0
    left = account.unreserved_concurrent_executions + own - asked
    if left < limits.UNRESERVED_CONCURRENCY_MIN:
        raise too_much(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{limits.UNRESERVED_CONCURRENCY_MIN}]."
        )
    provisioned = provisioned_total(context, entry)
    if asked < provisioned:
        raise too_much(
            f" ReservedConcurrentExecutions  {asked} should not be lower than function's total "
            f"provisioned concurrency [{provisioned}]."
        )


def too_much(message: str) -> ApiError:
    """AWS's refusals of this group have no ``Type``."""
    return ApiError("InvalidParameterValueException", message, fault=None)


def _scaling(record: VersionRecord) -> Scaling:
    return Scaling() if record.deployed is None else record.deployed.function.scaling


def _rescale(context: Context, entry: FunctionEntry, reserved: int | None) -> None:
    scaling = replace(_scaling(entry.latest), reserved_concurrent_executions=reserved)
    context.emulator.lifecycle.rescale(entry.latest, scaling)


@operation("GetAccountSettings")
def get_account_settings(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html."""
    account = context.emulator.account
    entries = context.registry.functions.values()
    sizes = [one.document.get("CodeSize", 0) for entry in entries for one in _versions(entry)]
    layers = context.registry.objects("layer_version").values()
    sizes += [layer.get("Content", {}).get("CodeSize", 0) for layer in layers]
    return {
        "AccountLimit": {
            "TotalCodeSize": limits.CODE_STORAGE_MAX_BYTES,
            "CodeSizeUnzipped": limits.UNZIPPED_PACKAGE_MAX_BYTES,
            "CodeSizeZipped": limits.ZIPPED_PACKAGE_MAX_BYTES,
            "ConcurrentExecutions": account.concurrent_executions,
            "UnreservedConcurrentExecutions": account.unreserved_concurrent_executions,
        },
        "AccountUsage": {"TotalCodeSize": sum(sizes), "FunctionCount": len(entries)},
    }


def _versions(entry: FunctionEntry) -> list[Any]:
    return list(entry.versions.values())
