"""Event source mappings that the manifest asks for: made, changed and removed as it says.

They are the same mappings as the API's, with the id of their function and source, so that a deploy
knows them again. What the API made is left alone.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.emulator.mappings.mappings import EventSourceMappings
from lambdash.emulator.mappings.states import Change, State, is_moving
from lambdash.emulator.variables import Place
from lambdash.model.connections import SqsSource

_NAMESPACE = uuid.UUID("6d5c0c36-7a3e-5f0c-9d2e-2f1f6f3c9b1e")
_DECLARED = "Declared"
_POLL_S = 0.01


async def declare(
    mappings: EventSourceMappings,
    place: Place,
    sources: Mapping[str, Sequence[SqsSource]],
) -> None:
    """Bring the declared mappings to what each function (by name) has; returns once it is begun."""
    wanted = {
        document["UUID"]: document
        for name, of_function in sources.items()
        for document in (_document(place, name, source) for source in of_function)
    }
    for identity, mapping in tuple(mappings.all().items()):
        if mapping.get(_DECLARED) and identity not in wanted:
            await _settled(mappings, identity)
            mappings.change(identity, Change.DELETE)
    for identity, document in wanted.items():
        await _settled(mappings, identity)
        known = mappings.all().get(identity)
        if known is None:
            mappings.create(document)
        elif any(known.get(name) != value for name, value in document.items()):
            mappings.change(identity, _change(known, document), **document)


def _change(known: Mapping[str, Any], document: Mapping[str, Any]) -> Change:
    if known["Enabled"] == document["Enabled"]:
        return Change.UPDATE
    return Change.ENABLE if document["Enabled"] else Change.DISABLE


async def _settled(mappings: EventSourceMappings, identity: str) -> None:
    """A mapping that moves from one state to another takes no change before it is there."""
    while True:
        mapping = mappings.all().get(identity)
        if mapping is None or not is_moving(State(mapping["State"])):
            return
        await asyncio.sleep(_POLL_S)


def _document(place: Place, name: str, source: SqsSource) -> dict[str, Any]:
    function_arn = place.function_arn(name)
    identity = str(uuid.uuid5(_NAMESPACE, f"{function_arn} {source.queue_arn}"))
    document: dict[str, Any] = {
        "UUID": identity,
        "EventSourceMappingArn": (
            f"arn:aws:lambda:{place.region}:{place.account_id}:event-source-mapping:{identity}"
        ),
        "EventSourceArn": source.queue_arn,
        "FunctionArn": function_arn,
        "BatchSize": source.batch_size,
        "MaximumBatchingWindowInSeconds": source.window_s,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if source.reports_failures else [],
        "StateTransitionReason": "USER_INITIATED",
        "Enabled": source.enabled,
        "FilterCriteria": {"Filters": [{"Pattern": pattern} for pattern in source.filters]},
        "ScalingConfig": (
            {}
            if source.maximum_concurrency is None
            else {"MaximumConcurrency": source.maximum_concurrency}
        ),
        _DECLARED: True,
    }
    return document
