"""SQS's errors: their names in the JSON protocol, their older codes in the query protocol."""

from typing import Final

from lambdash.errors import CallerError

_LEGACY: Final = "AWS.SimpleQueueService."
# name of the shape -> code of the query protocol, where that is another
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
_CODES = {
    "QueueDoesNotExist": f"{_LEGACY}NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "EmptyBatchRequest": f"{_LEGACY}EmptyBatchRequest",
    "TooManyEntriesInBatchRequest": f"{_LEGACY}TooManyEntriesInBatchRequest",
    "BatchEntryIdsNotDistinct": f"{_LEGACY}BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": f"{_LEGACY}BatchRequestTooLong",
    "InvalidBatchEntryId": f"{_LEGACY}InvalidBatchEntryId",
    "MessageNotInflight": f"{_LEGACY}MessageNotInflight",
    "PurgeQueueInProgress": f"{_LEGACY}PurgeQueueInProgress",
    "UnsupportedOperation": f"{_LEGACY}UnsupportedOperation",
}


class SqsError(CallerError):
    """The caller's mistake, in SQS's words. ``code`` is that of the query protocol, which boto3
    shows in either protocol; ``name`` is the shape's; HTTP 400 unless ``status`` says otherwise."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(_CODES.get(name, name), message)
        self.name = name
        self.status = status


def no_such_queue() -> SqsError:
    """The queue is not there."""
    return SqsError("QueueDoesNotExist", "The specified queue does not exist.")


def missing(parameter: str) -> SqsError:
    """A parameter that must be there is not."""
    return SqsError("MissingParameter", f"The request must contain the parameter {parameter}.")


def invalid(value: object, parameter: str, reason: str) -> SqsError:
    """A parameter's value is refused."""
    message = f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    return SqsError("InvalidParameterValue", message)
