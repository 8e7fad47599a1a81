"""From an operation's result to the HTTP answer, as the shape of its output says.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html. Members that are None are left out.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, NamedTuple

Headers = list[tuple[bytes, bytes]]


class Wire(NamedTuple):
    """An answer as it is sent."""

    status: int
    headers: Headers
    body: bytes


def serialise(operation: Any, result: Mapping[str, Any]) -> Wire:
    """``operation`` is botocore's model; a result may have no member beyond its output shape."""
    status: int = operation.http.get("responseCode", 200)
    shape = operation.output_shape
    if shape is None:
        return Wire(status, [], b"")
    unknown = result.keys() - shape.members.keys()
    assert not unknown, f"{operation.name} has no output {', '.join(sorted(unknown))}"
    headers: Headers = []
    document: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = result.get(name)
        if value is None:
            continue
        where, key = member.serialization.get("location"), member.serialization.get("name", name)
        if where == "statusCode":
            status = value
        elif where == "header":
            headers.append((key.lower().encode(), _as_text(value).encode()))
        else:
            document[key] = _as_json(member, value)
    return Wire(status, headers, b"" if status == 204 else _compact(document))


def _as_json(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return {
            member.serialization.get("name", name): _as_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_as_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: _as_json(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind == "timestamp":
        return _timestamp(shape, value)
    return value


def _timestamp(shape: Any, epoch_s: float) -> Any:
    style = shape.serialization.get("timestampFormat", "unixTimestamp")
    if style == "unixTimestamp":
        return epoch_s
    moment = datetime.fromtimestamp(epoch_s, UTC)
    if style == "iso8601":
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return format_datetime(moment, usegmt=True)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _compact(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
