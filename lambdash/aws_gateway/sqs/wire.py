"""SQS's two protocols: JSON bodies with a target header, and forms answered in XML. Pure.

Members and their types come from botocore's model; the names that forms and XML use for lists and
maps are no longer in it and stand here
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html).
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from lambdash import limits
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
# how many items a form may give of one list
_FORM_ITEMS_MAX = 1_000


@cache
def service_model() -> ServiceModel:
    """botocore's model of SQS, read on first use."""
    from botocore.session import Session  # noqa: PLC0415 - 0.1 s that only its users pay

    return Session().get_service_model("sqs")


def operation_model(name: str) -> OperationModel:
    """Raises ``SqsError`` (``InvalidAction``) for what is no operation."""
    model = service_model()
    if name not in model.operation_names:
        raise SqsError("InvalidAction", f"The action {name} is not valid for this endpoint.")
    return model.operation_model(name)


# -- requests ----------------------------------------------------------------------------------


def from_json(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The parameters of a JSON request, held against the model's types."""
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise SqsError("SerializationException", "The request is no JSON object.") from error
    if not isinstance(document, dict):
        raise SqsError("SerializationException", "The request is no JSON object.")
    shape = operation.input_shape
    return {} if shape is None else _typed_structure(shape, document, "")


def _typed(shape: Shape, value: Any, path: str) -> Any:
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            assert isinstance(shape, StructureShape)
            return _typed_structure(shape, value, path)
        case "list" if isinstance(value, list):
            assert isinstance(shape, ListShape)
            return [_typed(shape.member, item, path) for item in value]
        case "map" if isinstance(value, dict):
            assert isinstance(shape, MapShape)
            return {str(k): _typed(shape.value, item, path) for k, item in value.items()}
        case "integer" | "long" if isinstance(value, int) and not isinstance(value, bool):
            return _bounded(value, path)
        case "boolean" if isinstance(value, bool):
            return value
        case "string" | "blob" if isinstance(value, str):
            return value
    message = f"{path.lstrip('.') or 'The request'} must be of type {shape.type_name}."
    raise SqsError("SerializationException", message)


def _typed_structure(shape: StructureShape, document: dict[str, Any], path: str) -> dict[str, Any]:
    """What the model does not know is left out, as AWS does."""
    return {
        name: _typed(member, document[name], f"{path}.{name}")
        for name, member in shape.members.items()
        if document.get(name) is not None
    }


def _bounded(value: int, path: str) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        message = f"{path.lstrip('.')} is out of range."
        raise SqsError("SerializationException", message)
    return value


def form(body: bytes, query: str) -> dict[str, str]:
    """The fields of a query request, from its body and its URL. Raises ``SqsError``."""
    try:
        text = body.decode()
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=limits.FORM_FIELDS_MAX)
        pairs += parse_qsl(text, keep_blank_values=True, max_num_fields=limits.FORM_FIELDS_MAX)
    except ValueError as error:
        raise SqsError("MalformedQueryString", "The query string is malformed.") from error
    return dict(pairs)


def from_form(operation: OperationModel, fields: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a query request."""
    shape = operation.input_shape
    if shape is None:
        return {}
    return _structure_of(shape, fields, "", operation.name)


def _structure_of(
    shape: StructureShape, fields: Mapping[str, str], prefix: str, operation: str
) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        value = _member_of(name, member, fields, prefix, operation)
        if value is not None:
            found[name] = value
    return found


def _member_of(
    name: str, shape: Shape, fields: Mapping[str, str], prefix: str, operation: str
) -> Any:
    if isinstance(shape, ListShape):
        item = _item(name, operation)
        return _list_of(shape, fields, f"{prefix}{item}.", operation)
    if isinstance(shape, MapShape):
        return _map_of(shape, fields, f"{prefix}{_item(name, operation)}.", operation)
    if isinstance(shape, StructureShape):
        return _structure_of(shape, fields, f"{prefix}{name}.", operation) or None
    text = fields.get(prefix + name)
    return None if text is None else _scalar(shape, text, name)


def _list_of(
    shape: ListShape, fields: Mapping[str, str], prefix: str, operation: str
) -> list[Any] | None:
    found = []
    for number in range(1, _FORM_ITEMS_MAX + 1):
        here = f"{prefix}{number}"
        if isinstance(shape.member, StructureShape):
            item: Any = _structure_of(shape.member, fields, f"{here}.", operation) or None
        else:
            item = fields.get(here)
        if item is None:
            break
        found.append(item)
    return found or None


def _map_of(
    shape: MapShape, fields: Mapping[str, str], prefix: str, operation: str
) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for number in range(1, _FORM_ITEMS_MAX + 1):
        here = f"{prefix}{number}."
        key = fields.get(f"{here}Name", fields.get(f"{here}Key"))
        if key is None:
            break
        if isinstance(shape.value, StructureShape):
            found[key] = _structure_of(shape.value, fields, f"{here}Value.", operation)
        else:
            found[key] = fields.get(f"{here}Value", "")
    return found or None


def _scalar(shape: Shape, text: str, name: str) -> Any:
    if shape.type_name in ("integer", "long"):
        try:
            return _bounded(int(text), name)
        except ValueError as error:
            message = f"Value {text} for parameter {name} is invalid. Reason: Must be an integer."
            raise SqsError("InvalidParameterValue", message) from error
    return text


def _item(name: str, operation: str) -> str:
    if name == "Entries":
        return f"{operation}RequestEntry"
    if name == "Successful":
        return f"{operation}ResultEntry"
    return _ITEMS[name]


# -- answers -----------------------------------------------------------------------------------


def to_xml(operation: OperationModel, result: Mapping[str, Any], request_id: str) -> bytes:
    """A query protocol's answer."""
    name = operation.name
    inner = ""
    if operation.output_shape is not None:
        inner = f"<{name}Result>{_members(result, name)}</{name}Result>"
    return (
        f'<?xml version="1.0"?><{name}Response xmlns="{NAMESPACE}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{name}Response>"
    ).encode("utf-8", "xmlcharrefreplace")


def error_xml(error: SqsError, request_id: str) -> bytes:
    """A query protocol's refusal."""
    return (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message><Detail/>"
        f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode("utf-8", "xmlcharrefreplace")


def _members(values: Mapping[str, Any], operation: str) -> str:
    return "".join(_element(name, value, operation) for name, value in values.items())


def _element(name: str, value: Any, operation: str) -> str:
    if isinstance(value, Mapping):
        keys = ("Key", "Value") if name == "Tags" else ("Name", "Value")
        return "".join(
            f"<{_item(name, operation)}><{keys[0]}>{escape(key)}</{keys[0]}>"
            f"<{keys[1]}>{_text(item, operation)}</{keys[1]}></{_item(name, operation)}>"
            for key, item in value.items()
        )
    if isinstance(value, list):
        tag = _item(name, operation)
        return "".join(f"<{tag}>{_text(item, operation)}</{tag}>" for item in value)
    return f"<{name}>{_text(value, operation)}</{name}>"


def _text(value: Any, operation: str) -> str:
    if isinstance(value, Mapping):
        return _members(value, operation)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value), {"\r": "&#xD;"})
