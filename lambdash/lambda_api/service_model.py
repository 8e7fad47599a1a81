"""Lambda's service model as botocore ships it: routes, shapes of requests, answers and errors.

It is read through botocore's own loader on first use: that costs 0.2 s, and the path of a plain
Invoke never needs it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote


class Route(NamedTuple):
    """One operation's route. ``query`` is what the target's query must hold beside the path."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str], ...]


class Matched(NamedTuple):
    """The operation that a request asks for, and the labels of its path, decoded."""

    operation: str
    labels: Mapping[str, str]


@cache
def service_model() -> Any:
    """botocore's ``ServiceModel`` of Lambda."""
    from botocore.loaders import create_loader  # noqa: PLC0415 - see above
    from botocore.model import ServiceModel  # noqa: PLC0415

    return ServiceModel(create_loader().load_service_model("lambda", "service-2"), "lambda")


@cache
def operation_model(name: str) -> Any:
    """botocore's ``OperationModel``."""
    return service_model().operation_model(name)


@cache
def _routes() -> dict[str, list[Route]]:
    """By method; routes with a fixed query first, so that they win over the bare path."""
    routes = [_route(name) for name in service_model().operation_names]
    routes.sort(key=lambda route: not route.query)
    return {
        method: [route for route in routes if route.method == method]
        for method in {route.method for route in routes}
    }


def _route(name: str) -> Route:
    http = operation_model(name).http
    path, _, query = http["requestUri"].partition("?")
    pattern = re.sub(r"\\\{(\w+)\\?\+\\\}", r"(?P<\1>.+)", re.escape(path.rstrip("/")))
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
    fixed = tuple((key, value) for key, [value, *_] in parse_qs(query).items())
    return Route(name, http["method"], re.compile(pattern + "/?"), fixed)


def match(method: str, path: str, query: str) -> Matched | None:
    """The operation of a request line; None where AWS has none."""
    asked = parse_qs(query, keep_blank_values=True)
    for route in _routes().get(method, ()):
        found = route.path.fullmatch(path)
        if found is not None and all(asked.get(key) == [value] for key, value in route.query):
            labels = {name: unquote(value) for name, value in found.groupdict().items()}
            return Matched(route.operation, labels)
    return None


@cache
def error_shape(name: str) -> Any | None:
    """The modelled exception of that name; AWS answers some that are in no model."""
    return next((shape for shape in service_model().error_shapes if shape.name == name), None)
