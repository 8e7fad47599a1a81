"""A function's settings for asynchronous invocation, out of the registry's documents.

``PutFunctionEventInvokeConfig`` belongs to a qualifier; the dead-letter queue to the function's
own configuration (https://docs.aws.amazon.com/lambda/latest/api/API_DeadLetterConfig.html).
"""

from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.emulator.registry import Registry
from lambdash.model.arn import LATEST
from lambdash.model.event import EventInvokeSettings

# the kind of setting under which the API keeps ``FunctionEventInvokeConfig``
KIND = "event_invoke_config"


def settings_of(
    registry: Registry, name: str, qualifier: str | None, time_scale: float
) -> EventInvokeSettings:
    """AWS's defaults, but for what was set; of a function that is gone the defaults alone."""
    config: Mapping[str, Any] = registry.setting(KIND, name, qualifier or LATEST) or {}
    version = registry.version(name, qualifier)
    document: Mapping[str, Any] = {} if version is None else version.document
    deployed = registry.deployed.get(name)
    maximum, reserved = limits.MAX_ENVIRONMENTS_DEFAULT, None
    if deployed is not None:
        scaling = deployed.function.scaling
        maximum, reserved = scaling.max_environments, scaling.reserved_concurrent_executions
    targets = config.get("DestinationConfig") or {}
    return EventInvokeSettings(
        maximum_retry_attempts=_given(
            config, "MaximumRetryAttempts", limits.ASYNC_RETRY_ATTEMPTS_DEFAULT
        ),
        maximum_event_age_s=_given(
            config, "MaximumEventAgeInSeconds", limits.ASYNC_EVENT_AGE_MAX_S
        ),
        on_success=_target(targets, "OnSuccess"),
        on_failure=_target(targets, "OnFailure"),
        dead_letter=(document.get("DeadLetterConfig") or {}).get("TargetArn") or None,
        reserves_nothing=reserved == 0,
        in_flight_max=maximum,
        time_scale=time_scale,
    )


def _given(config: Mapping[str, Any], member: str, otherwise: int) -> int:
    value = config.get(member)
    return otherwise if value is None else int(value)


def _target(targets: Mapping[str, Any], member: str) -> str | None:
    return (targets.get(member) or {}).get("Destination") or None
