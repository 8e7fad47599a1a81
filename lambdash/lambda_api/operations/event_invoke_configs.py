"""How asynchronous invocations are retried, and where their outcomes go, per qualifier."""

from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.emulator.asynchronous.settings import KIND
from lambdash.lambda_api.errors import ApiError, invalid, not_found
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.references import Reference, arn_of, reference
from lambdash.model.arn import LATEST, parse_reference

_STORED = {"DestinationConfig": "only queues and functions are delivered to so far"}
_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_DESTINATIONS = frozenset({"events", "lambda", "s3", "sns", "sqs"})
_NO_FUNCTION = "The function doesn't exist."


@operation("PutFunctionEventInvokeConfig", stored=_STORED)
def put_event_invoke_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html."""
    asked = _checked(context, parameters)
    return _kept(context, asked, {}, parameters)


@operation("UpdateFunctionEventInvokeConfig", stored=_STORED)
def update_event_invoke_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html."""
    asked = _checked(context, parameters)
    return _kept(context, asked, _existing(context, asked), parameters)


@operation("GetFunctionEventInvokeConfig")
def get_event_invoke_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html."""
    asked = reference(context, parameters)
    return _shown(context, asked.name, asked.qualifier or LATEST, _existing(context, asked))


@operation("DeleteFunctionEventInvokeConfig")
def delete_event_invoke_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html."""
    asked = reference(context, parameters)
    _existing(context, asked)
    context.registry.remove_setting(KIND, asked.name, asked.qualifier or LATEST)
    context.emulator.events.changed(asked.name)
    return {}


@operation("ListFunctionEventInvokeConfigs")
def list_event_invoke_configs(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html."""
    asked = reference(context, parameters)
    if asked.name not in context.registry.functions:
        raise not_found(_NO_FUNCTION)
    kept = sorted(context.registry.settings(KIND, asked.name).items())
    listed = [_shown(context, asked.name, qualifier, one) for qualifier, one in kept]
    found, marker = page(
        listed, parameters, lambda one: str(one["FunctionArn"]), limits.FUNCTIONS_PAGE_MAX
    )
    return {"FunctionEventInvokeConfigs": found, "NextMarker": marker}


def _checked(context: Context, parameters: Parameters) -> Reference:
    """Which qualifier is configured; the request makes sense and what it names is there."""
    asked = reference(context, parameters)
    if all(parameters.get(member) is None for member in _MEMBERS):
        raise invalid("You must specify at least one of error handling or destination setting.")
    if context.registry.version(asked.name, asked.qualifier) is None:
        raise not_found(_NO_FUNCTION)
    destinations = parameters.get("DestinationConfig") or {}
    for side in ("OnSuccess", "OnFailure"):
        arn = (destinations.get(side) or {}).get("Destination")
        if arn:
            _check_destination(context, asked, arn, destinations)
    return asked


def _check_destination(
    context: Context, asked: Reference, arn: str, destinations: Mapping[str, Any]
) -> None:
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    if service not in _DESTINATIONS:
        raise invalid(f"The provided destination config {_printed(destinations)} is invalid.")
    if service == "lambda":
        named = parse_reference(arn)
        if named is not None and named.name == asked.name:
            raise invalid("You can't specify the function as a destination for itself.")
        if named is None or context.registry.version(named.name, named.qualifier) is None:
            raise invalid(f"The destination ARN {arn} is invalid.")


def _printed(destinations: Mapping[str, Any]) -> str:
    """As AWS prints it."""
    sides = []
    for member, name in (("OnSuccess", "onSuccess"), ("OnFailure", "onFailure")):
        side = destinations.get(member)
        shown = "null" if side is None else f"{member}(destination={side.get('Destination')})"
        sides.append(f"{name}={shown}")
    return f"DestinationConfig({', '.join(sides)})"


def _kept(
    context: Context, asked: Reference, old: Mapping[str, Any], parameters: Parameters
) -> Result:
    given = {name: parameters[name] for name in _MEMBERS if parameters.get(name) is not None}
    document = {**old, **given, "LastModified": context.clock.wall().timestamp()}
    qualifier = asked.qualifier or LATEST
    context.registry.put_setting(KIND, asked.name, document, qualifier)
    context.emulator.events.changed(asked.name)
    return _shown(context, asked.name, qualifier, document)


def _existing(context: Context, asked: Reference) -> Mapping[str, Any]:
    qualifier = asked.qualifier or LATEST
    found = context.registry.setting(KIND, asked.name, qualifier)
    if found is None:
        raise _without(context, asked.name, qualifier)
    return found


def _without(context: Context, name: str, qualifier: str) -> ApiError:
    arn = arn_of(context, name, qualifier)
    return not_found(f"The function {arn} doesn't have an EventInvokeConfig")


def _shown(
    context: Context, name: str, qualifier: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    destinations = {"OnSuccess": {}, "OnFailure": {}, **document.get("DestinationConfig", {})}
    return {
        **document,
        "DestinationConfig": destinations,
        "FunctionArn": arn_of(context, name, qualifier),
    }
