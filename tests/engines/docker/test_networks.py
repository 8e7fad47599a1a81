"""A network that the engine will not remove is told of and tried again, never passed over."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions, Owner
from lambdash.engines.protocol import SandboxSpec
from lambdash.model.progress import silent
from tests.engines.contract import EngineCase
from tests.engines.docker.shell_image import REFERENCE

pytestmark = pytest.mark.docker


@pytest.fixture
def spec(case: EngineCase, tmp_path: Path) -> SandboxSpec:
    return case.specification(tmp_path / "code")


async def test_a_network_in_use_is_told_and_tried_again(
    options: DockerOptions, spec: SandboxSpec, api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    network = options.owner.network
    engine = DockerEngine(options)
    await engine.start()
    await engine.prepare(spec, silent)
    await engine.settled()
    host = {"NetworkMode": network}
    body = {"Image": REFERENCE, "Entrypoint": ["/bin/sh", "-c", "sleep 600"], "HostConfig": host}
    guest = api.create_container_from_config(body, f"{network}-guest")["Id"]
    try:
        api.start(guest)
        with caplog.at_level(logging.WARNING):
            closed = await engine.close()
        assert (closed["networks"], closed["networks_kept"]) == (0, 1)
        assert f"network {network} could not be removed" in caplog.text
    finally:
        api.remove_container(guest, force=True)
    later = DockerEngine(replace(options, owner=Owner(options.owner.project, "later")))
    await later.start()
    assert (await later.collect())["networks"] == 1
    await later.close()
