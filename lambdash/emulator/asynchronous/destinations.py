"""Where records of asynchronous invocations go: by the service their target's ARN names."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lambdash.emulator.asynchronous.records import Delivery
from lambdash.errors import PlatformError
from lambdash.messaging.sqs.messages import outgoing
from lambdash.messaging.sqs.service import SqsService
from lambdash.model.arn import parse_reference

Deliver: TypeAlias = Callable[[Delivery], Awaitable[None]]
# Function name, qualifier and payload of an event to accept.
AcceptEvent: TypeAlias = Callable[[str, str | None, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Lambda and SQS of this project; the other services are not there yet, and said so."""

    queues: SqsService
    accept: AcceptEvent

    async def deliver(self, message: Delivery) -> None:
        """Send one message. Raises ``LambdashError`` when the target cannot be reached."""
        service = [*message.target.split(":", 3), "", "", ""][2]
        senders: Mapping[str, Deliver] = {"lambda": self._to_function, "sqs": self._to_queue}
        send = senders.get(service)
        if send is None:
            raise PlatformError(
                "destination-unsupported",
                f"{message.target}: destinations in `{service}` are not supported yet",
                "use a queue (SQS) or a function (Lambda)",
            )
        await send(message)

    async def _to_function(self, message: Delivery) -> None:
        reference = parse_reference(message.target)
        if reference is None:
            raise PlatformError("destination-unreachable", f"{message.target} is no function")
        await self.accept(reference.name, reference.qualifier, message.body.encode())

    async def _to_queue(self, message: Delivery) -> None:
        name = self.queues.name_of(message.target)
        if name is None:
            raise PlatformError(
                "destination-unreachable",
                f"{message.target} is a queue of another account or region",
            )
        attributes = {
            key: {"DataType": kind, "StringValue": value}
            for key, (kind, value) in message.attributes
        }
        asked = {"MessageBody": message.body, "MessageAttributes": attributes}
        await self.queues.send(name, lambda queue: outgoing(queue, asked))
