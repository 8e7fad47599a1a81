"""The JSON protocols: bodies as parameters, results as bodies, by the model's shapes."""

import json
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.protocol.scalars import bounded, moment


def from_json(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The parameters of a JSON request, held against the model's types. Raises ``AwsError``."""
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", "The request is no JSON object.") from error
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "The request is no JSON object.")
    shape = operation.input_shape
    return {} if shape is None else _typed_structure(shape, document, "")


def to_json(result: dict[str, Any]) -> bytes:
    """The body of an answer."""
    return json.dumps(result, separators=(",", ":")).encode() if result else b"{}"


def _typed(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return _typed_structure(shape, value, path)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_typed(shape.member, item, path) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {_whole(k): _typed(shape.value, item, path) for k, item in value.items()}
    return _scalar(shape, value, path)


def _scalar(shape: Shape, value: Any, path: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.type_name:
        case "integer" | "long" if is_number and isinstance(value, int):
            return bounded(value, path)
        case "float" | "double" if is_number:
            return float(bounded(value, path)) if isinstance(value, int) else value
        case "timestamp" if is_number or isinstance(value, str):
            try:
                return moment(value)
            except (ValueError, OverflowError):
                pass
        case "boolean" if isinstance(value, bool):
            return value
        case "string" | "blob" if isinstance(value, str):
            return _whole(value)
    message = f"{path.lstrip('.') or 'The request'} must be of type {shape.type_name}."
    raise AwsError("SerializationException", message)


def _whole(text: str) -> str:
    """JSON can escape half of a surrogate pair, which no encoding can carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "Half of a surrogate pair is no text."
        raise AwsError("SerializationException", message) from error
    return text


def _typed_structure(shape: StructureShape, document: dict[str, Any], path: str) -> dict[str, Any]:
    """What the model does not know is left out, as AWS does."""
    return {
        name: _typed(member, document[name], f"{path}.{name}")
        for name, member in shape.members.items()
        if document.get(name) is not None
    }
