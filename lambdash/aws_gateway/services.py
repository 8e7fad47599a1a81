"""The services beside Lambda and SQS that are here; one line makes one of them reachable."""

from collections.abc import Sequence

from lambdash.aws_gateway.cloudwatch import CLOUDWATCH
from lambdash.aws_gateway.door import ServiceDoor
from lambdash.aws_gateway.iam import IAM
from lambdash.aws_gateway.logs import LOGS
from lambdash.aws_gateway.service import Service
from lambdash.aws_gateway.sts import STS
from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator

SERVICES: Sequence[Service] = (CLOUDWATCH, IAM, LOGS, STS)


def doors(emulator: Emulator, clock: Clock) -> tuple[ServiceDoor, ...]:
    """A door for each service."""
    return tuple(ServiceDoor(service, emulator, clock) for service in SERVICES)
