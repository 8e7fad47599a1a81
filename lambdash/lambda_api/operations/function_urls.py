"""Function URL configurations, of a function or of one of its aliases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lambdash import limits
from lambdash.emulator.registry.targets import is_version
from lambdash.lambda_api.errors import ApiError, conflict, not_found, validation_failed
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.references import Reference, arn_of, reference
from lambdash.lambda_api.service_model import operation_model
from lambdash.lambda_api.validation import problem
from lambdash.model.arn import LATEST

KIND = "url"
_IAM = "a request to an `AWS_IAM` URL is answered 403: signatures of URLs are not verified yet"


@operation("CreateFunctionUrlConfig", stored={"AuthType": _IAM})
def create_function_url_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html."""
    asked = _function(context, parameters)
    arn = arn_of(context, asked.name, asked.qualifier)
    qualifier = asked.qualifier or LATEST
    if context.registry.setting(KIND, asked.name, qualifier) is not None:
        raise conflict(
            f"Failed to create function url config for [functionArn = {arn}]. "
            "Error message:  FunctionUrlConfig exists for this Lambda function"
        )
    now = _timestamp(context.clock.wall())
    document = {
        "UrlId": _new_url_id(context),
        "AuthType": parameters["AuthType"],
        "CreationTime": now,
        "LastModifiedTime": now,
        **_given(parameters, "Cors", "InvokeMode"),
    }
    context.registry.put_setting(KIND, asked.name, document, qualifier)
    shown = _shown(context, asked.name, qualifier, document)
    del shown["LastModifiedTime"]
    return shown


@operation("UpdateFunctionUrlConfig", stored={"AuthType": _IAM})
def update_function_url_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionUrlConfig.html."""
    asked = _function(context, parameters)
    document = {
        **_existing(context, asked),
        **_given(parameters, "AuthType", "Cors", "InvokeMode"),
        "LastModifiedTime": _timestamp(context.clock.wall()),
    }
    qualifier = asked.qualifier or LATEST
    context.registry.put_setting(KIND, asked.name, document, qualifier)
    return _shown(context, asked.name, qualifier, document)


@operation("GetFunctionUrlConfig")
def get_function_url_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html."""
    asked = _asked(context, parameters)
    document = {"InvokeMode": "BUFFERED", **_existing(context, asked)}
    return _shown(context, asked.name, asked.qualifier or LATEST, document)


@operation("DeleteFunctionUrlConfig")
def delete_function_url_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionUrlConfig.html."""
    asked = _asked(context, parameters)
    _existing(context, asked)
    context.registry.remove_setting(KIND, asked.name, asked.qualifier or LATEST)
    return {}


@operation("ListFunctionUrlConfigs")
def list_function_url_configs(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html."""
    asked = reference(context, parameters)
    if asked.name not in context.registry.functions:
        raise not_found("Function does not exist")
    kept = sorted(context.registry.settings(KIND, asked.name).items())
    listed = [
        _shown(context, asked.name, qualifier, {"InvokeMode": "BUFFERED", **document})
        for qualifier, document in kept
    ]
    found, marker = page(
        listed, parameters, lambda one: str(one["FunctionArn"]), limits.FUNCTIONS_PAGE_MAX
    )
    return {"FunctionUrlConfigs": found, "NextMarker": marker}


def _function(context: Context, parameters: Parameters) -> Reference:
    """A function or alias that is there."""
    asked = _asked(context, parameters)
    entry = context.registry.functions.get(asked.name)
    if entry is None or (asked.qualifier is not None and asked.qualifier not in entry.aliases):
        raise not_found("Function does not exist")
    return asked


def _asked(context: Context, parameters: Parameters) -> Reference:
    """The function or alias; versions have no URL, also where the name carries the qualifier."""
    asked = reference(context, parameters)
    if asked.qualifier is not None and is_version(asked.qualifier):
        pattern = operation_model("GetFunctionUrlConfig").input_shape.members["Qualifier"]
        constraint = (
            f"Member must satisfy regular expression pattern: {pattern.metadata['pattern']}"
        )
        raise validation_failed(problem(asked.qualifier, "qualifier", constraint))
    return asked


def _existing(context: Context, asked: Reference) -> Mapping[str, Any]:
    found = context.registry.setting(KIND, asked.name, asked.qualifier or LATEST)
    if found is None:
        raise _without()
    return found


def _without() -> ApiError:
    return not_found("The resource you requested does not exist.")


def _given(parameters: Parameters, *members: str) -> dict[str, Any]:
    return {name: parameters[name] for name in members if parameters.get(name) is not None}


def _new_url_id(context: Context) -> str:
    """32 letters and digits, as AWS's are."""
    return context.emulator.new_request_id().replace("-", "")


def _timestamp(now: datetime) -> str:
    """AWS's format of these two members: ``2026-01-31T12:00:00.123456Z``."""
    return f"{now:%Y-%m-%dT%H:%M:%S.%f}Z"


def _shown(
    context: Context, name: str, qualifier: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    shown = {key: value for key, value in document.items() if key != "UrlId"}
    return {
        **shown,
        "FunctionUrl": function_url(context, document["UrlId"]),
        "FunctionArn": arn_of(context, name, None if qualifier == LATEST else qualifier),
    }


def function_url(context: Context, url_id: str) -> str:
    """Shaped as AWS's, on this machine and at the port the caller used."""
    port = urlsplit(context.base_url).port
    host = f"{url_id}.lambda-url.{context.place.region}.localhost"
    return f"http://{host}:{port}/" if port else f"http://{host}/"
