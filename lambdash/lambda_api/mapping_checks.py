"""What AWS refuses of an event source mapping beyond its shapes, in AWS's words where known.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html says which member is
for which kind of source.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from lambdash import limits
from lambdash.lambda_api.errors import ApiError, invalid
from lambdash.lambda_api.validation import problem
from lambdash.patterns import InvalidPattern, compile_filter_criteria


class Source(Enum):
    """The kinds of event source that are polled; ``data`` is what of a record its sender wrote."""

    SQS = "sqs"
    KINESIS = "kinesis"
    DYNAMODB = "dynamodb"

    @property
    def is_stream(self) -> bool:
        """Whether it has shards and a position in them."""
        return self is not Source.SQS

    @property
    def data(self) -> str | None:
        """The member of a record that filters may look into."""
        return {Source.SQS: "body", Source.KINESIS: "data"}.get(self)


_LATER = {
    "kafka": "Amazon MSK",
    "mq": "Amazon MQ",
    "rds": "Amazon DocumentDB",
}
_OF_STREAMS = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
_OF_QUEUES = ("ScalingConfig",)
_RECORD_AGE_MIN_S = 60


def source_of(arn: str | None) -> Source:
    """What kind of source an ARN names. Raises ``InvalidParameterValueException``."""
    service = arn.split(":")[2] if arn else ""
    if service in _LATER:
        raise _not_supported(f"{_LATER[service]} as an event source")
    if arn and service == "kinesis" and "/consumer/" in arn:
        raise _not_supported("A Kinesis stream's consumer as an event source")
    for source in Source:
        if source.value == service:
            return source
    raise invalid("Unrecognized event source.")


def check_mapping(source: Source, given: Mapping[str, Any]) -> None:
    """Raise ``ApiError`` for what does not go with the source, or not together."""
    for member in _OF_QUEUES if source.is_stream else _OF_STREAMS:
        if given.get(member) not in (None, {}):
            raise _unsupported(member)
    if (given.get("DestinationConfig") or {}).get("OnSuccess") is not None:
        raise _unsupported("DestinationConfig")
    if source.is_stream:
        _check_stream(given)
    else:
        _check_queue(given)
    check_filters(source, given.get("FilterCriteria") or {})


def check_start(source: Source, given: Mapping[str, Any]) -> None:
    """Where a new mapping of a stream starts reading. Raises ``ApiError``."""
    if not source.is_stream:
        return
    position = given.get("StartingPosition")
    if position is None:
        raise _must_not_be_null("startingPosition")
    if position == "AT_TIMESTAMP":
        if source is Source.DYNAMODB:
            arn = given["EventSourceArn"]
            raise invalid(f"Unsupported starting position for arn type: {arn}")
        if given.get("StartingPositionTimestamp") is None:
            raise _must_not_be_null("startingPositionTimestamp")


def check_filters(source: Source, criteria: Mapping[str, Any]) -> None:
    """Raise ``InvalidParameterValueException`` for a pattern that cannot be used."""
    patterns = [one.get("Pattern", "") for one in criteria.get("Filters") or ()]
    try:
        compile_filter_criteria(patterns, source.data)
    except InvalidPattern as refused:
        raise invalid(refused.message) from refused


def _check_stream(given: Mapping[str, Any]) -> None:
    age_s = given.get("MaximumRecordAgeInSeconds")
    if age_s is not None and -1 < age_s < _RECORD_AGE_MIN_S:
        raise invalid(
            f"MaximumRecordAgeInSeconds must be -1, or between {_RECORD_AGE_MIN_S} and 604800."
        )
    if (given.get("TumblingWindowInSeconds") or 0) > 0:
        if (given.get("MaximumBatchingWindowInSeconds") or 0) > 0:
            raise invalid("A tumbling window and a batching window do not go together.")
        if (given.get("ParallelizationFactor") or 1) > 1:
            raise invalid("A tumbling window and a parallelization factor do not go together.")


def _check_queue(given: Mapping[str, Any]) -> None:
    size = given.get("BatchSize") or 0
    window_s = given.get("MaximumBatchingWindowInSeconds") or 0
    if given["EventSourceArn"].endswith(".fifo"):
        if window_s:
            raise invalid("Batching window is not supported for FIFO queues.")
        if size > limits.SQS_RECEIVE_MAX_MESSAGES:
            raise invalid(
                f"The batch size of a FIFO queue is at most {limits.SQS_RECEIVE_MAX_MESSAGES}."
            )
    elif size > limits.SQS_RECEIVE_MAX_MESSAGES and not window_s:
        raise invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            f"greater than {limits.SQS_RECEIVE_MAX_MESSAGES}"
        )


def _must_not_be_null(member: str) -> ApiError:
    told = problem(None, member, "Member must not be null.")
    return invalid(f"1 validation error detected: {told}")


def _unsupported(member: str) -> ApiError:
    return invalid(f"Unsupported {member} parameter for given event source mapping type.")


def _not_supported(what: str) -> ApiError:
    return invalid(f"{what} is not supported by this version of lambdash.")
