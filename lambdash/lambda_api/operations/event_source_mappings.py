"""Event source mappings: created, read, changed, listed, deleted; pollers follow them."""

import uuid
from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.emulator.mappings import Change
from lambdash.errors import CallerError
from lambdash.lambda_api.errors import ApiError, conflict, invalid, not_found
from lambdash.lambda_api.mapping_checks import Source, check_mapping, check_start, source_of
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.references import Reference, arn_of, reference
from lambdash.lambda_api.tagging import put_tags
from lambdash.model.arn import parse_reference

_REFUSED = {
    "AmazonManagedKafkaEventSourceConfig": "Kafka",
    "DocumentDBEventSourceConfig": "DocumentDB",
    "ProvisionedPollerConfig": "provisioned pollers",
    "Queues": "Amazon MQ",
    "SelfManagedEventSource": "Kafka",
    "SelfManagedKafkaEventSourceConfig": "Kafka",
    "SourceAccessConfigurations": "Kafka and Amazon MQ",
    "Topics": "Kafka",
}
_STORED = {
    "KMSKeyArn": "nothing is encrypted",
    "LoggingConfig": "pollers write no log of their own",
    "MetricsConfig": "no metrics of mappings are kept",
}
_NOT_POLLED = {
    "EventSourceArn": "nothing polls Kinesis and DynamoDB streams yet; the daemon's log says so"
}
_OF_CREATION = ("Queues", "SelfManagedEventSource", "Topics")
_UPDATE_REFUSED = {name: note for name, note in _REFUSED.items() if name not in _OF_CREATION}
_KEPT = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KMSKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
# Shown only when they say something: an empty one takes them away
_OPTIONAL = ("FilterCriteria", "ScalingConfig")
_NAMES = {Source.SQS: "SQS", Source.KINESIS: "kinesis", Source.DYNAMODB: "dynamodb"}


@operation("CreateEventSourceMapping", stored=_STORED | _NOT_POLLED, refused=_REFUSED)
async def create_event_source_mapping(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html."""
    arn = parameters.get("EventSourceArn")
    source = source_of(arn)
    assert arn is not None
    check_mapping(source, parameters)
    check_start(source, parameters)
    asked = _function(context, parameters)
    if source is Source.SQS:
        await _check_visibility_timeout(context, arn, asked)
    function_arn = arn_of(context, asked.name, asked.qualifier)
    _require_new(context, source, arn, function_arn, asked)
    identity = str(uuid.uuid4())
    place = context.place
    mapping = {
        "UUID": identity,
        "EventSourceMappingArn": (
            f"arn:aws:lambda:{place.region}:{place.account_id}:event-source-mapping:{identity}"
        ),
        "EventSourceArn": arn,
        "FunctionArn": function_arn,
        **_defaults(source),
        **_given(parameters),
        "Enabled": parameters.get("Enabled", True),
    }
    put_tags(context, mapping["EventSourceMappingArn"], parameters.get("Tags") or {})
    return _shown(context.emulator.mappings.create(mapping))


@operation("UpdateEventSourceMapping", stored=_STORED, refused=_UPDATE_REFUSED)
def update_event_source_mapping(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html."""
    mapping = _existing(context, parameters)
    given = _given(parameters)
    check_mapping(source_of(mapping["EventSourceArn"]), {**mapping, **given})
    if parameters.get("FunctionName") is not None:
        asked = _function(context, parameters)
        given["FunctionArn"] = arn_of(context, asked.name, asked.qualifier)
    wanted = parameters.get("Enabled", mapping["Enabled"])
    change = Change.UPDATE
    if wanted != mapping["Enabled"]:
        change = Change.ENABLE if wanted else Change.DISABLE
    changed = context.emulator.mappings.change(mapping["UUID"], change, **given, Enabled=wanted)
    if changed is None:
        raise _in_use("update")
    return _shown(changed)


@operation("DeleteEventSourceMapping")
def delete_event_source_mapping(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html."""
    mapping = _existing(context, parameters)
    changed = context.emulator.mappings.change(mapping["UUID"], Change.DELETE)
    if changed is None:
        raise _in_use("delete")
    put_tags(context, mapping["EventSourceMappingArn"], {})
    return _shown(changed)


@operation("GetEventSourceMapping")
def get_event_source_mapping(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html."""
    return _shown(_existing(context, parameters))


@operation("ListEventSourceMappings")
def list_event_source_mappings(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html."""
    found = list(context.emulator.mappings.all().values())
    if parameters.get("EventSourceArn") is not None:
        found = [one for one in found if one["EventSourceArn"] == parameters["EventSourceArn"]]
    if parameters.get("FunctionName") is not None:
        asked = reference(context, parameters)
        found = [one for one in found if _is_of(one, asked)]
    listed, marker = page(found, parameters, lambda one: str(one["UUID"]), limits.MAPPINGS_PAGE_MAX)
    return {"EventSourceMappings": [_shown(one) for one in listed], "NextMarker": marker}


def _function(context: Context, parameters: Parameters) -> Reference:
    """The function, version or alias that records go to; it must be there."""
    asked = reference(context, {"FunctionName": parameters["FunctionName"]})
    if context.registry.version(asked.name, asked.qualifier) is None:
        raise invalid("Function does not exist")
    return asked


async def _check_visibility_timeout(context: Context, arn: str, asked: Reference) -> None:
    """A message must not come back while the function may still work on it.

    Of a queue that is not there, or somewhere else, nothing is known: its poller will say so.
    """
    queues = context.emulator.queues
    name = queues.name_of(arn)
    record = context.registry.version(asked.name, asked.qualifier)
    if name is None or record is None:
        return
    try:
        held_s = await queues.at(name, lambda _, queue, now: queue.visibility_timeout_s)
    except CallerError:
        return
    timeout_s = record.document["Timeout"]
    if held_s < timeout_s:
        raise invalid(
            f"Queue visibility timeout: {held_s} seconds is less than "
            f"Function timeout: {timeout_s} seconds"
        )


def _require_new(
    context: Context, source: Source, arn: str, function_arn: str, asked: Reference
) -> None:
    for one in context.emulator.mappings.all().values():
        if (one["EventSourceArn"], one["FunctionArn"]) == (arn, function_arn):
            raise conflict(
                f'An event source mapping with {_NAMES[source]} arn (" {arn} ") and function '
                f'(" {asked.name} ") already exists. Please update or delete the existing '
                f"mapping with UUID {one['UUID']}"
            )


def _existing(context: Context, parameters: Parameters) -> Mapping[str, Any]:
    found = context.emulator.mappings.all().get(parameters["UUID"])
    if found is None:
        raise not_found("The resource you requested does not exist.")
    return found


def _is_of(mapping: Mapping[str, Any], asked: Reference) -> bool:
    named = parse_reference(mapping["FunctionArn"])
    assert named is not None
    return named.name == asked.name and asked.qualifier in (None, named.qualifier)


def _in_use(verb: str) -> ApiError:
    return ApiError(
        "ResourceInUseException",
        f"Cannot {verb} the event source mapping because it is in use.",
    )


def _given(parameters: Parameters) -> dict[str, Any]:
    given = {name: parameters[name] for name in _KEPT if parameters.get(name) is not None}
    if "DestinationConfig" in given:
        given["DestinationConfig"] = {"OnFailure": {}, **given["DestinationConfig"]}
    return given


def _defaults(source: Source) -> dict[str, Any]:
    """What AWS fills in."""
    defaults: dict[str, Any] = {
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
    }
    if not source.is_stream:
        return {**defaults, "BatchSize": 10, "StateTransitionReason": "USER_INITIATED"}
    return {
        **defaults,
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "LastProcessingResult": "No records processed",
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


def _shown(mapping: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in mapping.items() if name != "Enabled"}
    for name in _OPTIONAL:
        if not any((shown.get(name) or {}).values()):
            shown.pop(name, None)
    return shown
