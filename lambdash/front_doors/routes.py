"""Which route of an HTTP API a request takes. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full
match is best, then one with a greedy variable, then ``$default``; of two full matches the one that
says more, segment by segment from the left; a method of its own is better than ``ANY``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

DEFAULT = "$default"
ANY = "ANY"

# How much a segment says: itself, a variable, the rest of the path.
_LITERAL, _VARIABLE, _GREEDY = range(3)
_Rank: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """``method`` is ``ANY`` for all; ``path`` may have ``{name}`` and, at its end, ``{name+}``."""

    method: str
    path: str
    function_name: str

    @property
    def key(self) -> str:
        """AWS's ``routeKey``."""
        return DEFAULT if self.path == DEFAULT else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and what its variables are; None where it has none."""

    route: Route
    path_parameters: dict[str, str] | None


class RouteTable:
    """Routes in the order of their worth: the first that matches is taken."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=_worth)

    def match(self, method: str, path: str) -> Match | None:
        """``path`` is decoded; None when no route takes the request."""
        segments = path.split("/")[1:]
        for route in self._routes:
            if route.method not in (ANY, method):
                continue
            if route.path == DEFAULT:
                return Match(route, None)
            variables = _variables(route.path.split("/")[1:], segments)
            if variables is not None:
                return Match(route, variables or None)
        return None


def _worth(route: Route) -> tuple[bool, _Rank, bool]:
    if route.path == DEFAULT:
        return (True, (), True)
    rank = tuple(_kind(segment) for segment in route.path.split("/")[1:])
    greedy = rank[-1] == _GREEDY
    return (False, (greedy, *rank), route.method == ANY)


def _kind(segment: str) -> int:
    if not (segment.startswith("{") and segment.endswith("}")):
        return _LITERAL
    return _GREEDY if segment.endswith("+}") else _VARIABLE


def _variables(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """The variables of a match; None when it is none."""
    found: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if index >= len(segments):
            return None
        kind, value = _kind(part), segments[index]
        if kind == _GREEDY:
            rest = "/".join(segments[index:])
            if rest:
                found[part[1:-2]] = rest
            return found if rest else None
        if kind == _VARIABLE:
            if not value:
                return None
            found[part[1:-1]] = value
        elif part != value:
            return None
    return found if len(pattern) == len(segments) else None
