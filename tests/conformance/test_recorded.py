"""The recorded scenarios, where they are: ``LAMBDASH_VECTORS`` names their folder."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.replay import Scenario, Verdict
from tests.lambda_api.client import aws_client
from tests.lambda_api.conftest import Endpoint, make_endpoint, make_rig

__all__ = ["make_endpoint", "make_rig"]

_BESIDE = Path(__file__).parents[2].parent / "shared" / "vectors"
VECTORS = Path(os.environ.get("LAMBDASH_VECTORS", _BESIDE)) / "aws_recorded_dev.json"
EQUAL_MIN = 0.98


@pytest.mark.skipif(not VECTORS.is_file(), reason="no recorded answers (LAMBDASH_VECTORS)")
@pytest.mark.timeout(600)
async def test_recorded_answers(make_endpoint: Any, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint: Endpoint = await make_endpoint()
    aws = aws_client(endpoint.url)
    verdicts: list[Verdict] = []
    for document in json.loads(VECTORS.read_bytes()):
        verdicts += await asyncio.to_thread(played, aws, document)
        await remove_all(endpoint)
    equal = sum(not verdict.differences for verdict in verdicts)
    with capsys.disabled():
        sys.stdout.write(report(verdicts))
    assert equal >= EQUAL_MIN * len(verdicts)


def played(aws: Any, document: Any) -> list[Verdict]:
    return list(Scenario(document["test"], aws).play(document["steps"]))


async def remove_all(endpoint: Endpoint) -> None:
    """Each scenario begins with an empty account."""
    registry = endpoint.rig.emulator.registry
    for name in tuple(registry.functions):
        await endpoint.rig.emulator.lifecycle.remove(name)


def report(verdicts: list[Verdict]) -> str:
    """Each difference, and the share of equal answers."""
    lines = []
    for verdict in verdicts:
        if verdict.differences:
            lines.append(f"{verdict.scenario} {verdict.name} ({verdict.operation})")
            lines += [f"    {difference[:400]}" for difference in verdict.differences[:4]]
    equal = sum(not verdict.differences for verdict in verdicts)
    return "\n".join(["", *lines, f"{equal} of {len(verdicts)} recorded answers are equal", ""])
