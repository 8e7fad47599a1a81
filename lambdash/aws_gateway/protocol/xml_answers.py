"""Answers of the query protocol: results and refusals as XML, by the model's shapes.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from lambdash.aws_gateway.protocol.naming import Naming, of_items, of_member


def to_xml(
    operation: OperationModel,
    result: Mapping[str, Any],
    request_id: str,
    namespace: str,
    naming: Naming = of_items,
) -> bytes:
    """The answer to an operation."""
    name = operation.name
    inner = ""
    if operation.output_shape is not None:
        written = _Xml(naming, name).members(operation.output_shape, result)
        inner = f"<{name}Result>{written}</{name}Result>"
    return (
        f'<?xml version="1.0"?><{name}Response xmlns="{namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        f"</{name}Response>"
    ).encode("utf-8", "xmlcharrefreplace")


def error_xml(error: tuple[str, str], fault: str, request_id: str, namespace: str) -> bytes:
    """A refusal: its code and message, and whose ``fault`` it is (``Sender``, ``Receiver``)."""
    code, message = error
    return (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message><Detail/>"
        f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode("utf-8", "xmlcharrefreplace")


@dataclass(frozen=True, slots=True)
class _Xml:
    naming: Naming
    operation: str

    def members(self, shape: StructureShape, values: Mapping[str, Any]) -> str:
        members = shape.members
        return "".join(self._member(name, members[name], value) for name, value in values.items())

    def _member(self, name: str, shape: Shape, value: Any) -> str:
        if not isinstance(shape, ListShape | MapShape):
            tag = of_member(name, shape)
            return f"<{tag}>{self._value(shape, value)}</{tag}>"
        wrapper, tag, key_tag, value_tag = self.naming(name, shape, self.operation)
        if isinstance(shape, MapShape):
            inner = "".join(
                f"<{tag}><{key_tag}>{escape(key)}</{key_tag}>"
                f"<{value_tag}>{self._value(shape.value, item)}</{value_tag}></{tag}>"
                for key, item in value.items()
            )
        else:
            inner = "".join(f"<{tag}>{self._value(shape.member, item)}</{tag}>" for item in value)
        return inner if wrapper is None else f"<{wrapper}>{inner}</{wrapper}>"

    def _value(self, shape: Shape, value: Any) -> str:
        if isinstance(shape, StructureShape):
            return self.members(shape, value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if shape.type_name == "timestamp":
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return escape(str(value), {"\r": "&#xD;"})
