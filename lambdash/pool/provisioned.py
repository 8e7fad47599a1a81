"""What is provisioned for a key, as ``GetProvisionedConcurrencyConfig`` tells it."""

from dataclasses import dataclass
from enum import Enum

from lambdash.pool.commands import StopReason
from lambdash.pool.environment import Environment, EnvironmentState
from lambdash.pool.function_pool import FunctionPool

_STARTING = (EnvironmentState.LAUNCHING, EnvironmentState.INITIALIZING)


class ProvisionedStatus(Enum):
    """AWS's ``ProvisionedConcurrencyStatusEnum``."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ProvisionedConcurrency:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html.

    ``allocated`` and ``available`` count those that have initialised, busy ones too. ``failure``
    is why the last that was tried did not; it is tried again
    (``limits.PROVISIONING_RETRY_S``), while AWS leaves it at that.
    """

    requested: int
    allocated: int
    available: int
    status: ProvisionedStatus
    failure: StopReason | None


def provisioned_concurrency(function: FunctionPool) -> ProvisionedConcurrency:
    """How far it has come."""
    initialised = sum(_is_initialised(environment) for environment in function.provided())
    ready = min(initialised, function.provisioned)
    status = ProvisionedStatus.IN_PROGRESS
    if ready == function.provisioned:
        status = ProvisionedStatus.READY
    elif function.provisioning_failed is not None:
        status = ProvisionedStatus.FAILED
    failure = function.provisioning_failed if status is ProvisionedStatus.FAILED else None
    return ProvisionedConcurrency(function.provisioned, ready, ready, status, failure)


def _is_initialised(environment: Environment) -> bool:
    """One whose runtime is started anew after a timeout has been, and is not available."""
    return environment.state not in _STARTING
