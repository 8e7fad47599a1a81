"""Which mappings are polled, and by what: one poller for each that is enabled."""

import asyncio
from collections.abc import Mapping as MappingType
from functools import partial
from typing import Any, NamedTuple

from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.errors import CallerError
from lambdash.event_sources.mapping import Mapping
from lambdash.event_sources.sqs.poller import PollerParts, SqsPoller
from lambdash.model import Outcome, PlatformFailed
from lambdash.model.arn import parse_reference
from lambdash.patterns import compile_filter_criteria
from lambdash.tasks import Tasks

_REPORTS = "ReportBatchItemFailures"


class _Running(NamedTuple):
    poller: SqsPoller
    task: "asyncio.Task[None]"


class Pollers:
    """Polls for the mappings that it is given the documents of. Belongs to the event loop."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        self._emulator = emulator
        self._clock = clock
        self._tasks = Tasks()
        self._running: dict[str, _Running] = {}

    def polls(self, source_arn: str) -> bool:
        """Queues of this project so far; what comes from elsewhere is nobody's here."""
        return self._emulator.queues.name_of(source_arn) is not None

    async def apply(self, mapping: MappingType[str, Any]) -> None:
        """Poll by this document from now on, or no more when it is not enabled."""
        uuid = mapping["UUID"]
        await self.stop(uuid)
        if mapping["Enabled"]:
            parts = PollerParts(
                queues=self._emulator.queues,
                invoke=self._invoke,
                clock=self._clock,
                said=partial(self._emulator.mappings.said, uuid),
            )
            poller = SqsPoller(self._mapping(mapping), parts)
            task = self._tasks.spawn(poller.run(), f"poller of mapping {uuid}")
            self._running[uuid] = _Running(poller, task)

    async def stop(self, uuid: str) -> None:
        """Poll for it no more; the batches that are with the function have ended then."""
        running = self._running.pop(uuid, None)
        if running is not None:
            running.task.cancel()
            await asyncio.wait([running.task])
            await running.poller.drain()

    async def close(self) -> None:
        """End all at once; what is in flight is delivered again after its visibility timeout."""
        await self._tasks.cancel()
        for running in self._running.values():
            await running.poller.abandon()
        self._running.clear()

    def _mapping(self, document: MappingType[str, Any]) -> Mapping:
        function = parse_reference(document["FunctionArn"])
        assert function is not None
        patterns = [
            one["Pattern"] for one in (document.get("FilterCriteria") or {}).get("Filters", ())
        ]
        return Mapping(
            uuid=document["UUID"],
            source_arn=document["EventSourceArn"],
            function_name=function.name,
            qualifier=function.qualifier,
            batch_size=document["BatchSize"],
            window_s=document["MaximumBatchingWindowInSeconds"],
            filters=compile_filter_criteria(patterns, "body"),
            reports_failures=_REPORTS in document["FunctionResponseTypes"],
            concurrency=self._concurrency(document, function.name),
        )

    def _concurrency(self, document: MappingType[str, Any], name: str) -> int:
        """As was asked for, else as many batches as the function may have environments."""
        asked = (document.get("ScalingConfig") or {}).get("MaximumConcurrency")
        deployed = self._emulator.functions.get(name)
        return int(asked or (1 if deployed is None else deployed.function.scaling.max_environments))

    async def _invoke(self, name: str, qualifier: str | None, payload: bytes) -> Outcome:
        """Run the function; one that is gone is the platform's failure, to be tried again."""
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(result: InvocationResult) -> None:
            if not ended.done():
                ended.set_result(result.outcome)

        options = InvocationOptions(self._emulator.new_request_id(), qualifier=qualifier)
        try:
            self._emulator.invoke(name, payload, options, done)
        except CallerError as error:
            return PlatformFailed(error.code, error.message, error.hint)
        return await ended
