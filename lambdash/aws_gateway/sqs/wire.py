"""SQS's two protocols: JSON bodies with a target header, and forms answered in XML. Pure.

Members and their types come from botocore's model; the names that forms and XML use for lists and
maps are no longer in it and stand here
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.model import OperationModel, Shape

from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.protocol import forms, json_bodies, models, xml_answers
from lambdash.aws_gateway.protocol.naming import Items
from lambdash.messaging.sqs.errors import SqsError

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
TARGET_PREFIX = "AmazonSQS."

# member -> what one item of it is called in a form or in XML
_ITEMS: Mapping[str, str] = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "BinaryListValues": "BinaryListValue",
    "Failed": "BatchResultErrorEntry",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "Results": "ListMessageMoveTasksResultEntry",
    "StringListValues": "StringListValue",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
}


def operation_model(name: str) -> OperationModel:
    """Raises ``SqsError`` (``InvalidAction``) for what is no operation."""
    with _in_words_of_sqs():
        return models.operation_model("sqs", name)


def from_json(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The parameters of a JSON request, held against the model's types. Raises ``SqsError``."""
    with _in_words_of_sqs():
        return json_bodies.from_json(operation, body)


def form(body: bytes, query: str) -> dict[str, str]:
    """The fields of a query request, from its body and its URL. Raises ``SqsError``."""
    with _in_words_of_sqs():
        return forms.form(body, query)


def from_form(operation: OperationModel, fields: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a query request. Raises ``SqsError``."""
    with _in_words_of_sqs():
        return forms.from_form(operation, fields, _items)


def to_xml(operation: OperationModel, result: Mapping[str, Any], request_id: str) -> bytes:
    """A query protocol's answer."""
    return xml_answers.to_xml(operation, result, request_id, NAMESPACE, _items)


def error_xml(error: SqsError, request_id: str) -> bytes:
    """A query protocol's refusal."""
    return xml_answers.error_xml((error.code, error.message), "Sender", request_id, NAMESPACE)


@contextmanager
def _in_words_of_sqs() -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        raise SqsError(error.code, error.message, error.status) from error


def _items(name: str, shape: Shape, operation: str) -> Items:
    key = "Key" if name in ("Tags", "tags") else "Name"
    return Items(None, _item(name, operation), key, "Value")


def _item(name: str, operation: str) -> str:
    if name == "Entries":
        return f"{operation}RequestEntry"
    if name == "Successful":
        return f"{operation}ResultEntry"
    return _ITEMS[name]
