"""Requests of the query protocol: a form's fields as parameters, by the model's shapes.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from lambdash import limits
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.protocol.naming import Items, Naming, of_items, of_member
from lambdash.aws_gateway.protocol.scalars import from_text

# how many items a form may give of one list
_FORM_ITEMS_MAX = 1_000


def form(body: bytes, query: str) -> dict[str, str]:
    """The fields of a query request, from its body and its URL. Raises ``AwsError``."""
    try:
        text = body.decode()
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=limits.FORM_FIELDS_MAX)
        pairs += parse_qsl(text, keep_blank_values=True, max_num_fields=limits.FORM_FIELDS_MAX)
    except ValueError as error:
        raise AwsError("MalformedQueryString", "The query string is malformed.") from error
    return dict(pairs)


def from_form(
    operation: OperationModel, fields: Mapping[str, str], naming: Naming = of_items
) -> dict[str, Any]:
    """The parameters of a query request. Raises ``AwsError``."""
    shape = operation.input_shape
    return {} if shape is None else _Form(fields, naming, operation.name).structure(shape, "")


@dataclass(frozen=True, slots=True)
class _Form:
    fields: Mapping[str, str]
    naming: Naming
    operation: str

    def structure(self, shape: StructureShape, prefix: str) -> dict[str, Any]:
        found = {}
        for name, member in shape.members.items():
            value = self._member(name, member, prefix)
            if value is not None:
                found[name] = value
        return found

    def _member(self, name: str, shape: Shape, prefix: str) -> Any:
        if isinstance(shape, ListShape | MapShape):
            items = self.naming(name, shape, self.operation)
            wrapper = "" if items.wrapper is None else f"{items.wrapper}."
            here = f"{prefix}{wrapper}{items.item}."
            if isinstance(shape, MapShape):
                return self._map(shape, here, items)
            return self._list(shape, here)
        return self._value(shape, prefix + of_member(name, shape))

    def _value(self, shape: Shape, path: str) -> Any:
        if isinstance(shape, StructureShape):
            return self.structure(shape, f"{path}.") or None
        text = self.fields.get(path)
        return None if text is None else from_text(shape, text, path)

    def _list(self, shape: ListShape, prefix: str) -> list[Any] | None:
        found = []
        for number in range(1, _FORM_ITEMS_MAX + 1):
            item = self._value(shape.member, f"{prefix}{number}")
            if item is None:
                break
            found.append(item)
        return found or None

    def _map(self, shape: MapShape, prefix: str, items: Items) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for number in range(1, _FORM_ITEMS_MAX + 1):
            here = f"{prefix}{number}."
            key = self.fields.get(here + items.key)
            if key is None:
                break
            value = self._value(shape.value, here + items.value)
            found[key] = _nothing(shape.value) if value is None else value
        return found or None


def _nothing(shape: Shape) -> Any:
    return {} if isinstance(shape, StructureShape) else ""
