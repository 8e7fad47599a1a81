"""Mappings that the manifest asks for are made, changed and removed as it says."""

import asyncio
from typing import Any

from lambdash.emulator.mappings.declared import declare
from lambdash.model.connections import SqsSource
from tests.emulator.conftest import Rig

JOBS = "arn:aws:sqs:us-east-1:000000000000:jobs"
OTHER = "arn:aws:sqs:us-east-1:000000000000:other"


async def declared(rig: Rig, *sources: SqsSource) -> list[dict[str, Any]]:
    mappings = rig.emulator.mappings
    await declare(mappings, rig.emulator.place, {"hello": sources})
    async with asyncio.timeout(10):
        while any(one["State"] not in ("Enabled", "Disabled") for one in mappings.all().values()):
            await asyncio.sleep(0.005)
    return [dict(one) for one in mappings.all().values()]


async def test_a_source_becomes_a_mapping_and_is_known_again(rig: Rig) -> None:
    (first,) = await declared(rig, SqsSource(JOBS, batch_size=5))
    assert (first["EventSourceArn"], first["BatchSize"], first["State"]) == (JOBS, 5, "Enabled")
    (again,) = await declared(rig, SqsSource(JOBS, batch_size=5))
    assert again == first


async def test_a_changed_source_is_the_same_mapping(rig: Rig) -> None:
    (first,) = await declared(rig, SqsSource(JOBS))
    (changed,) = await declared(rig, SqsSource(JOBS, batch_size=7, filters=('{"body":["a"]}',)))
    assert changed["UUID"] == first["UUID"]
    assert changed["BatchSize"] == 7
    assert changed["FilterCriteria"] == {"Filters": [{"Pattern": '{"body":["a"]}'}]}
    (disabled,) = await declared(rig, SqsSource(JOBS, batch_size=7, enabled=False))
    assert disabled["State"] == "Disabled"


async def test_a_source_that_is_gone_takes_its_mapping_along_and_no_other(rig: Rig) -> None:
    rig.emulator.mappings.create(
        {"UUID": "api", "EventSourceArn": OTHER, "FunctionArn": "f", "Enabled": True}
    )
    assert len(await declared(rig, SqsSource(JOBS))) == 2
    (left,) = await declared(rig)
    assert left["UUID"] == "api"
