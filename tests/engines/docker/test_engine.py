"""The docker engine against a real one: life, death and what remains."""

from pathlib import Path

import pytest

from lambdash.engines.docker import DockerEngine
from lambdash.model.progress import silent
from tests.engines.docker.conftest import specification
from tests.engines.docker.conversation import Witness

pytestmark = pytest.mark.docker


async def test_a_shell_bootstrap_polls_and_is_stopped(engine: DockerEngine, tree: Path) -> None:
    prepared = await engine.prepare(specification(tree), silent)
    witness = Witness()
    sandbox = await engine.launch(prepared, "e1", (("STAGE", "test"),), witness)
    await witness.polled()
    assert witness.requests[0].startswith(b"GET /2018-06-01/runtime/invocation/next")
    await engine.stop(sandbox, 0.5)
    assert witness.exits == []
