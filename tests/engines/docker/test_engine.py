"""The docker engine against a real one, beyond the contract: placing, dying and what remains."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions, EngineEnvironment, Owner
from lambdash.engines.docker.pruning import prune_volumes
from lambdash.engines.docker.reach import Reach
from lambdash.engines.protocol import SandboxSpec
from lambdash.errors import CallerError, PlatformError
from lambdash.model import ImageConfig, Revision
from lambdash.model.progress import silent
from tests.engines.contract import EngineCase, ScriptedDaemon, launched
from tests.engines.docker.case import belongings
from tests.engines.docker.shell_image import REFERENCE

pytestmark = pytest.mark.docker


@pytest.fixture
def spec(case: EngineCase, tmp_path: Path) -> SandboxSpec:
    return case.specification(tmp_path / "code")


async def settled(engine: DockerEngine) -> None:
    async with asyncio.timeout(30):
        await engine.settled()


async def test_no_engine_call_while_warm(engine: DockerEngine, spec: SandboxSpec) -> None:
    running = await launched(engine, spec)
    await settled(engine)
    before = engine.engine_calls()
    for _ in range(5):
        await running.daemon.invoke("respond x")
    assert engine.engine_calls() == before


async def test_two_engine_calls_a_launch(engine: DockerEngine, spec: SandboxSpec) -> None:
    prepared = await engine.prepare(spec, silent)
    await settled(engine)
    before = engine.engine_calls()
    await engine.launch(prepared, "e1", (), ScriptedDaemon())
    # the engine may answer the second after the runtime process runs
    assert engine.engine_calls() in (before + 1, before + 2)


async def test_inside_a_container(engine: DockerEngine, case: EngineCase, tmp_path: Path) -> None:
    """User, folders, hosts: what a handler sees, as on AWS."""
    spec = case.specification(tmp_path / "code", extra_hosts=("db.local:10.9.8.7",))
    daemon = (await launched(engine, spec)).daemon
    assert (await daemon.invoke('respond "$(id)"')).startswith("uid=993 gid=990")
    for folder in ("/", "/var/task/"):
        assert "Read-only" in await daemon.invoke(f'respond "$(touch {folder}x 2>&1)"')
    assert await daemon.invoke("echo echo runs >/tmp/x; respond $(sh /tmp/x)") == "runs"
    hosts = await daemon.invoke('respond "$(cat /etc/hosts)"')
    assert "10.9.8.7\tdb.local" in hosts
    assert "host.docker.internal" in hosts
    variables = (await daemon.invoke('respond "$(env)"')).splitlines()
    assert {"_HANDLER=unused", "FROM_IMAGE=image", "LAMBDA_TASK_ROOT=/var/task"} <= set(variables)
    assert "LAMBDASH" not in "".join(variables)


async def test_joined_environments_resolve_names_of_their_network(
    engine: DockerEngine, options: DockerOptions, spec: SandboxSpec, api: Any
) -> None:
    await engine.prepare(spec, silent)
    await settled(engine)
    running = await launched(engine, spec)
    mode = api.inspect_container(running.sandbox.id)["HostConfig"]["NetworkMode"]
    assert mode.startswith("container:")
    name = f"neighbour-{options.owner.project}"
    body = {"Image": REFERENCE, "Cmd": ["/bin/sleep", "60"]}
    host = {"NetworkMode": options.owner.network}
    neighbour = api.create_container_from_config({**body, "HostConfig": host}, name)
    try:
        api.start(neighbour["Id"])
        answer = await running.daemon.invoke(f'respond "$(nslookup {name} 2>&1)"')
        address = api.inspect_container(name)["NetworkSettings"]["Networks"]
        assert address[options.owner.network]["IPAddress"] in answer
    finally:
        api.remove_container(neighbour["Id"], force=True)


async def test_a_container_removed_by_someone_else_is_noticed(
    engine: DockerEngine, spec: SandboxSpec, api: Any
) -> None:
    running = await launched(engine, spec)
    api.remove_container(running.sandbox.id, force=True)
    assert (await running.daemon.exit()).sandbox_lost
    await engine.stop(running.sandbox, 0)
    await settled(engine)
    assert len(running.daemon.exits) == 1


async def test_a_namespace_is_used_again(engine: DockerEngine, spec: SandboxSpec, api: Any) -> None:
    await engine.prepare(spec, silent)
    await settled(engine)
    modes = []
    for number in range(2):
        running = await launched(engine, spec, f"e{number}")
        modes.append(api.inspect_container(running.sandbox.id)["HostConfig"]["NetworkMode"])
        await engine.stop(running.sandbox, 0)
        await settled(engine)
    pauses = api.containers(filters={"label": ["lambdash.role=pause"]})
    assert {mode.removeprefix("container:") for mode in modes} <= {entry["Id"] for entry in pauses}


async def test_dead_pauses_are_replaced(
    engine: DockerEngine, options: DockerOptions, spec: SandboxSpec, api: Any
) -> None:
    await engine.prepare(spec, silent)
    await settled(engine)
    filters = {"label": [f"lambdash.project={options.owner.project}", "lambdash.role=pause"]}
    for pause in api.containers(filters=filters):
        api.remove_container(pause["Id"], force=True)
    running = await launched(engine, spec)
    assert await running.daemon.invoke("respond alive") == "alive"


_KILLED = """
import asyncio, os, sys
from pathlib import Path
from dataclasses import replace
from lambdash.engines.docker import DockerEngine, Owner
from tests.engines.contract import REQUEST_BY_NC, EngineCase, launched
from tests.engines.docker.case import options_below

async def main(root, project, code):
    options = replace(options_below(Path(root)), owner=Owner(project, "dead"))
    engine = DockerEngine(options)
    await engine.start()
    spec = EngineCase("docker", None, REQUEST_BY_NC, list).specification(Path(code))
    await launched(engine, spec, "killed")
    os.kill(os.getpid(), 9)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_daemon_left_is_collected_and_nothing_else(
    options: DockerOptions, spec: SandboxSpec, api: Any
) -> None:
    project, root = options.owner.project, str(options.store.parent)
    arguments = ["-c", _KILLED, root, project, str(spec.code_path)]
    killed = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=os.getcwd())
    assert await killed.wait() == -signal.SIGKILL
    assert len(belongings(api, project)) >= 2
    other = DockerEngine(replace(options, owner=Owner(f"{project}x", "other")))
    await other.start()
    neighbour = await launched(other, spec)
    alive = DockerEngine(options)
    await alive.start()
    removed = await alive.collect()
    assert removed["containers"] >= 1
    assert removed["networks"] == 1
    assert "killed" not in " ".join(belongings(api, project))
    assert await (await launched(alive, spec)).daemon.invoke("respond here") == "here"
    await alive.close()
    assert await neighbour.daemon.invoke("respond untouched") == "untouched"
    await other.close()
    assert belongings(api, f"{project}x") == []


def environments(api: Any, options: DockerOptions) -> list[Any]:
    project = f"lambdash.project={options.owner.project}"
    filters = {"label": [project, "lambdash.role=environment"]}
    return list(api.containers(all=True, filters=filters))


async def test_a_failed_launch_leaves_nothing(
    engine: DockerEngine, options: DockerOptions, spec: SandboxSpec, api: Any
) -> None:
    prepared: Any = await engine.prepare(spec, silent)
    broken = replace(prepared, image="sha256:" + "0" * 64)
    with pytest.raises(PlatformError, match="contract"):
        await engine.launch(broken, "e1", (), ScriptedDaemon())
    missing = {"Type": "bind", "Source": "/does/not/exist", "Target": "/x"}
    broken = replace(prepared, mounts=(*prepared.mounts, missing))
    with pytest.raises(PlatformError, match="contract"):
        await engine.launch(broken, "e2", (), ScriptedDaemon())
    assert environments(api, options) == []


async def test_a_cancelled_launch_leaves_nothing(
    engine: DockerEngine, options: DockerOptions, spec: SandboxSpec, api: Any
) -> None:
    prepared = await engine.prepare(spec, silent)
    await settled(engine)

    class Impatient(ScriptedDaemon):
        def mark(self, name: str, at: float) -> None:
            if name == "created":
                task.cancel()

    task = asyncio.ensure_future(engine.launch(prepared, "e1", (), Impatient()))
    with pytest.raises(asyncio.CancelledError):
        await task
    await settled(engine)
    assert environments(api, options) == []


async def test_more_at_once_than_there_are_spares(
    engine: DockerEngine, options: DockerOptions, spec: SandboxSpec
) -> None:
    runs = await asyncio.gather(*(launched(engine, spec, f"many{i}") for i in range(6)))
    answers = await asyncio.gather(*(run.daemon.invoke("respond $$") for run in runs))
    assert len(answers) == len({run.sandbox.id for run in runs}) == 6
    await asyncio.gather(*(engine.stop(run.sandbox, 0) for run in runs))


async def test_a_missing_network_is_the_callers_mistake(
    engine: DockerEngine, case: EngineCase, tmp_path: Path
) -> None:
    with pytest.raises(CallerError) as refused:
        await engine.prepare(case.specification(tmp_path / "code", network="bridg"), silent)
    assert refused.value.code == "network-not-found"
    assert "`bridge`" in refused.value.hint
    with pytest.raises(CallerError) as refused:
        await engine.prepare(case.specification(tmp_path / "code", network="host"), silent)
    assert refused.value.code == "network-unsupported"


async def test_an_existing_network_is_joined_and_left_alone(
    engine: DockerEngine, options: DockerOptions, case: EngineCase, tmp_path: Path, api: Any
) -> None:
    name = f"shop-{options.owner.project}"
    api.create_network(name)
    try:
        running = await launched(engine, case.specification(tmp_path / "code", network=name))
        assert await running.daemon.invoke("respond x") == "x"
        await engine.close()
        assert api.networks(names=[name])
    finally:
        api.remove_network(name)


async def test_delivery_by_volume_and_relay(
    options: DockerOptions, spec: SandboxSpec, api: Any, tmp_path: Path
) -> None:
    """As with an engine on another kernel, which sees none of our files."""
    subnet = ip_network(api.inspect_network("bridge")["IPAM"]["Config"][0]["Subnet"])
    environ = {**os.environ, "LAMBDASH_RELAY_ADDRESS": str(next(subnet.hosts()))}
    far = replace(
        options,
        reach=Reach(bind=False, same_kernel=False),
        surroundings=replace(options.surroundings, environ=environ),
    )
    engine = DockerEngine(far)
    await engine.start()
    running = await launched(engine, spec)
    mounts = api.inspect_container(running.sandbox.id)["Mounts"]
    assert {mount["Type"] for mount in mounts} == {"volume"}
    assert "Read-only" in await running.daemon.invoke('respond "$(touch /var/task/x 2>&1)"')
    await engine.stop(running.sandbox, 0)
    await settled(engine)
    await engine.close()
    assert prune_volumes(options.surroundings, tmp_path / "of another") == 0
    assert prune_volumes(options.surroundings, options.store) >= 4


async def test_proxies_and_certificates_reach_the_function(
    options: DockerOptions, spec: SandboxSpec, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    environ = {"SSL_CERT_FILE": str(bundle), "HTTPS_PROXY": "http://proxy:3128"}
    engine = DockerEngine(replace(options, environment=EngineEnvironment.from_environ(environ)))
    await engine.start()
    daemon = (await launched(engine, spec, no_proxy="mine")).daemon
    assert await daemon.invoke('respond "$(cat $SSL_CERT_FILE) $https_proxy $no_proxy"') == (
        "certificates http://proxy:3128 mine"
    )
    await engine.close()
    gone = replace(options, environment=EngineEnvironment.from_environ({"AWS_CA_BUNDLE": "/gone"}))
    engine = DockerEngine(gone)
    await engine.start()
    with pytest.raises(CallerError) as refused:
        await engine.prepare(spec, silent)
    assert refused.value.code == "file-unreadable"
    await engine.close()


async def test_reach_is_remembered(options: DockerOptions, spec: SandboxSpec) -> None:
    asking = replace(options, reach=None)
    for _ in range(2):
        engine = DockerEngine(asking)
        await engine.start()
        await launched(engine, spec)
        await engine.close()
    (kept,) = (options.store / "engines").iterdir()
    assert json.loads(kept.read_bytes()) == {"bind": True, "same_kernel": True}


async def test_an_image_function_with_no_language_in_it(
    engine: DockerEngine, spec: SandboxSpec
) -> None:
    """The image has neither Python nor Node, and says nothing about how it starts."""
    image = await engine.resolve_image(REFERENCE, spec.pull, silent)

    def with_image(config: ImageConfig | None) -> SandboxSpec:
        configuration = replace(
            spec.revision.configuration, runtime=None, handler=None, image_config=config
        )
        return replace(spec, revision=Revision(configuration, image), code_path=None)

    with pytest.raises(CallerError) as refused:
        await engine.prepare(with_image(None), silent)
    assert refused.value.code == "entrypoint-missing"
    script = ("pwd; env; sleep 100",)
    config = ImageConfig(("/bin/sh", "-c"), script, working_directory="/tmp")
    running = await launched(engine, with_image(config))
    written = running.daemon.written["stdout"]
    await running.daemon.until(lambda: b"STAGE=image" in written)
    assert written.startswith(b"/tmp\n")


async def test_another_architecture_is_refused(
    engine: DockerEngine, case: EngineCase, tmp_path: Path
) -> None:
    with pytest.raises(CallerError) as refused:
        await engine.prepare(case.specification(tmp_path / "c", architecture="arm64"), silent)
    assert refused.value.code == "architecture-differs"


async def test_close_is_idempotent(engine: DockerEngine, spec: SandboxSpec) -> None:
    await launched(engine, spec)
    counts = await engine.close()
    assert counts == {"containers": 1, "networks": 1}
    assert await engine.close() == {}
