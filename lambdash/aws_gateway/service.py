"""A service beside Lambda, as the door needs it: how it is addressed and what of it is here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lambdash.aws_gateway.protocol.models import service_model
from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator


@dataclass(frozen=True, slots=True)
class Call:
    """One request: whom it is about, and its checked parameters. Times are epoch seconds."""

    emulator: Emulator
    clock: Clock
    parameters: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account that all is in."""
        return self.emulator.place.account_id

    def text(self, name: str, default: str = "") -> str:
        """A parameter of text."""
        return str(self.parameters.get(name, default))


Operation: TypeAlias = Callable[[Call], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Service:
    """``name`` is botocore's, ``title`` AWS's, ``scope`` what signatures call it.

    ``invalid`` is its code for parameters that break the model's constraints; ``missing`` says
    why operations that it has on AWS are not here.
    """

    name: str
    title: str
    scope: str
    operations: Mapping[str, Operation]
    target_prefix: str | None = None
    invalid: str = "ValidationError"
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """Of its XML."""
        found: str = service_model(self.name).metadata["xmlNamespace"]
        return found
