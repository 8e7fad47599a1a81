"""What an operation is: a plain function from a context and parsed parameters to a result."""

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.registry import Registry
from lambdash.emulator.variables import Place

Parameters: TypeAlias = dict[str, Any]
Result: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = Callable[["Context", Parameters], "Result | Awaitable[Result]"]


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation works on. ``base_url`` is the endpoint as the caller reached it."""

    emulator: Emulator
    clock: Clock
    request_id: str
    base_url: str

    @property
    def registry(self) -> Registry:
        """Functions, aliases, settings and objects."""
        return self.emulator.registry

    @property
    def place(self) -> Place:
        """Region and account."""
        return self.emulator.place


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    ``stored`` names members that are kept and reported but change nothing here; ``refused`` those
    that are refused by name: with each, why or what it would do. All others are enforced.
    """

    name: str
    handler: Handler
    stored: Mapping[str, str]
    refused: Mapping[str, str]

    @property
    def is_asynchronous(self) -> bool:
        """Whether the handler must be awaited."""
        return inspect.iscoroutinefunction(self.handler)


_REGISTERED: dict[str, Operation] = {}
_NOTHING: Mapping[str, str] = {}


def operation(
    name: str, *, stored: Mapping[str, str] = _NOTHING, refused: Mapping[str, str] = _NOTHING
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the operation ``name`` of AWS's API."""

    def register(handler: Handler) -> Handler:
        assert name not in _REGISTERED, f"{name} is there twice"
        _REGISTERED[name] = Operation(name, handler, stored, refused)
        return handler

    return register


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation, by name: those of the modules of ``lambda_api/operations``."""
    package = importlib.import_module("lambdash.lambda_api.operations")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return _REGISTERED
