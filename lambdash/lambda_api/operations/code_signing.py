"""Code signing configurations, and which functions have one. Signatures are not verified."""

import secrets
from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.emulator.registry.documents import timestamp
from lambdash.lambda_api.code_signing import (
    KIND,
    config_of,
    put_config,
    remove_config,
    require_config,
)
from lambdash.lambda_api.errors import conflict, not_found
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.references import arn_of, function_of, reference
from lambdash.lambda_api.tagging import put_tags

_NOT_VERIFIED = {"CodeSigningPolicies": "signatures are not verified"}
_MEMBERS = ("AllowedPublishers", "CodeSigningPolicies", "Description")


@operation("CreateCodeSigningConfig", stored=_NOT_VERIFIED)
def create_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateCodeSigningConfig.html."""
    identity = f"csc-{secrets.token_hex(9)[:17]}"
    place = context.place
    arn = f"arn:aws:lambda:{place.region}:{place.account_id}:{KIND}:{identity}"
    document = {
        "CodeSigningConfigId": identity,
        "CodeSigningConfigArn": arn,
        "Description": "",
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
        **_given(parameters),
        "LastModified": timestamp(context.clock.wall()),
    }
    context.registry.put_object(KIND, identity, document)
    put_tags(context, arn, parameters.get("Tags") or {})
    return {"CodeSigningConfig": document}


@operation("UpdateCodeSigningConfig", stored=_NOT_VERIFIED)
def update_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateCodeSigningConfig.html."""
    document = {
        **_existing(context, parameters),
        **_given(parameters),
        "LastModified": timestamp(context.clock.wall()),
    }
    context.registry.put_object(KIND, document["CodeSigningConfigId"], document)
    return {"CodeSigningConfig": document}


@operation("GetCodeSigningConfig")
def get_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetCodeSigningConfig.html."""
    return {"CodeSigningConfig": _existing(context, parameters)}


@operation("DeleteCodeSigningConfig")
def delete_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteCodeSigningConfig.html."""
    document = _existing(context, parameters)
    arn = document["CodeSigningConfigArn"]
    if _users(context, arn):
        raise conflict(f"The code signing configuration {arn} is in use by a function.")
    context.registry.remove_object(KIND, document["CodeSigningConfigId"])
    put_tags(context, arn, {})
    return {}


@operation("ListCodeSigningConfigs")
def list_code_signing_configs(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListCodeSigningConfigs.html."""
    found, marker = page(
        list(context.registry.objects(KIND).values()),
        parameters,
        lambda one: str(one["CodeSigningConfigArn"]),
        limits.LIST_PAGE_MAX,
    )
    return {"CodeSigningConfigs": found, "NextMarker": marker}


@operation("ListFunctionsByCodeSigningConfig")
def list_functions_by_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionsByCodeSigningConfig.html."""
    users = _users(context, _existing(context, parameters)["CodeSigningConfigArn"])
    found, marker = page(users, parameters, str, limits.LIST_PAGE_MAX)
    return {"FunctionArns": found, "NextMarker": marker}


@operation("PutFunctionCodeSigningConfig")
def put_function_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionCodeSigningConfig.html."""
    asked = reference(context, parameters)
    arn = parameters["CodeSigningConfigArn"]
    require_config(context, arn)
    function_of(context, asked)
    return put_config(context, asked.name, arn)


@operation("GetFunctionCodeSigningConfig")
def get_function_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html."""
    asked = reference(context, parameters)
    function_of(context, asked)
    return config_of(context, asked.name)


@operation("DeleteFunctionCodeSigningConfig")
def delete_function_code_signing_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionCodeSigningConfig.html."""
    asked = reference(context, parameters)
    function_of(context, asked)
    remove_config(context, asked.name)
    return {}


def _given(parameters: Parameters) -> dict[str, Any]:
    return {name: parameters[name] for name in _MEMBERS if parameters.get(name) is not None}


def _existing(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    arn = parameters["CodeSigningConfigArn"]
    found = context.registry.object(KIND, arn.rsplit(":", 1)[1])
    if found is None:
        raise not_found(f"The Lambda code signing configuration {arn} can not be found.")
    return found


def _users(context: Context, arn: str) -> list[str]:
    """The ARNs of the functions that have the configuration."""
    names = (
        name
        for name in sorted(context.registry.functions)
        if config_of(context, name).get("CodeSigningConfigArn") == arn
    )
    return [arn_of(context, name) for name in names]
