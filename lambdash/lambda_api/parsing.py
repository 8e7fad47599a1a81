"""From an HTTP request to an operation's parameters, as the shape of its input says.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html. What a body has beyond its shape is
ignored, as AWS does; null is the same as absent.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from lambdash.http.server import Request
from lambdash.lambda_api.errors import ApiError, malformed
from lambdash.lambda_api.lifting import parse_json

Parameters = dict[str, Any]


def parse(shape: Any, labels: Mapping[str, str], request: Request) -> Parameters:
    """The parameters of a request, by member name. Raises ``ApiError`` for what has a wrong type.

    ``shape`` is the input's (None: the operation takes nothing). Blobs become bytes, timestamps
    epoch seconds.
    """
    if shape is None:
        return {}
    query = parse_qs(request.query, keep_blank_values=True)
    document = _document(shape, request.body)
    found: Parameters = {}
    for name, member in shape.members.items():
        value = _located(name, member, (labels, query, request, document))
        if value is not None:
            found[name] = value
    payload = shape.serialization.get("payload")
    if payload is not None:
        found[payload] = request.body
    return found


_Sources = tuple[Mapping[str, str], Mapping[str, list[str]], Request, Mapping[str, Any]]


def _located(name: str, member: Any, sources: _Sources) -> Any:
    labels, query, request, document = sources
    where = member.serialization.get("location")
    key = member.serialization.get("name", name)
    if where is None:
        return _of_json(member, document.get(key))
    if where == "uri":
        return _of_text(member, labels[key])
    if where == "header":
        header = request.header(key.lower().encode())
        return None if header is None else _of_text(member, header.decode("latin-1"))
    values = query.get(key)
    if values is None:
        return None
    if member.type_name == "list":
        return [_of_text(member.member, value) for value in values]
    return _of_text(member, values[0])


def _document(shape: Any, body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body, where the shape has members in one."""
    in_body = any("location" not in one.serialization for one in shape.members.values())
    if not body or not in_body or "payload" in shape.serialization:
        return {}
    try:
        document = parse_json(body)
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error or 'nested too deeply'}"
        raise ApiError("InvalidRequestContentException", message) from error
    if b"\\u" in body and _has_half_characters(document):
        raise malformed("Half of a surrogate pair is no text")
    if not isinstance(document, dict):
        raise malformed("Expected a JSON object as the request's body")
    return document


def _has_half_characters(document: Any) -> bool:
    """JSON can escape what no encoding can carry: half of a surrogate pair."""
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def _of_text(shape: Any, text: str) -> Any:
    """A value of a label, a query or a header."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return _integer(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise malformed(f"'{text}' can not be converted to a Boolean")
        return text == "true"
    return text


def _integer(text: str) -> int:
    # int() would take spaces, underscores, and digits of any script, however many
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise malformed(f"'{text[:40]}' can not be converted to an Integer")
    return int(text)


def _of_json(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    return _READERS[shape.type_name](shape, value)


def _structure(shape: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _wrong(value, "a structure")
    members = (
        (name, _of_json(member, value.get(member.serialization.get("name", name))))
        for name, member in shape.members.items()
    )
    return {name: found for name, found in members if found is not None}


def _list(shape: Any, value: Any) -> Any:
    if not isinstance(value, list):
        raise _wrong(value, "a list")
    return [_of_json(shape.member, item) for item in value if item is not None]


def _map(shape: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _wrong(value, "a map")
    return {key: _of_json(shape.value, item) for key, item in value.items() if item is not None}


def _text(_shape: Any, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "a String")
    return value


def _whole(_shape: Any, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(value, "an Integer")
    return value


def _number(_shape: Any, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a Double")
    return value


def _boolean(_shape: Any, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "a Boolean")
    return value


def _blob(_shape: Any, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise _wrong(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed("a Blob must be base64") from error


def _timestamp(_shape: Any, value: Any) -> float:
    """Epoch seconds, or text of ISO 8601."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError) as error:
            raise _wrong(value, "a Timestamp") from error
    return _number(_shape, value)


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _text,
    "character": _text,
    "integer": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _wrong(value: Any, expected: str) -> ApiError:
    """AWS names the kind of JSON value that it found."""
    kinds = {
        str: "STRING_VALUE",
        bool: "TRUE_VALUE" if value is True else "FALSE_VALUE",
        int: "NUMBER_VALUE",
        float: "DECIMAL_VALUE",
        list: "Start of list",
        dict: "Start of structure or map",
    }
    return malformed(f"{kinds[type(value)]} can not be converted to {expected}")
