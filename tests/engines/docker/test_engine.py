"""The docker engine against a real one: life, death and what remains."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.docker import DockerEngine, DockerOptions, Owner
from lambdash.engines.docker.reach import Reach
from lambdash.engines.docker.sandbox import DockerSandbox
from lambdash.errors import CallerError, PlatformError
from lambdash.model import ImageConfig, ImagePackage, Revision
from lambdash.model.progress import silent
from tests.engines.docker.conftest import leftovers, specification, write_tree
from tests.engines.docker.conversation import Witness
from tests.engines.docker.shell_image import REFERENCE

pytestmark = pytest.mark.docker


async def launched(
    engine: DockerEngine, tree: Path, name: str = "e1", **configuration: Any
) -> tuple[DockerSandbox, Witness]:
    prepared = await engine.prepare(specification(tree, **configuration), silent)
    witness = Witness()
    sandbox = await engine.launch(prepared, name, (("STAGE", "test"),), witness)
    await witness.polled()
    return sandbox, witness


async def asked(witness: Witness, command: str) -> str:
    """What a shell command says inside, its last line being a mark."""
    before, polls = len(witness.written), len(witness.requests)
    witness.answer(f"{command}; echo done-{polls}".encode())
    await witness.said(f"done-{polls}")
    await witness.polled(polls + 1)
    return witness.written[before:].decode().partition(f"done-{polls}")[0]


async def test_a_shell_bootstrap_polls_and_is_stopped(engine: DockerEngine, tree: Path) -> None:
    sandbox, witness = await launched(engine, tree)
    assert witness.requests[0].startswith(b"GET /2018-06-01/runtime/invocation/next")
    await engine.stop(sandbox, 0.5)
    await engine.stop(sandbox, 0.5)
    assert witness.exits == []


async def test_marks_come_in_the_order_of_a_cold_start(engine: DockerEngine, tree: Path) -> None:
    await launched(engine, tree, "first")
    _, witness = await launched(engine, tree, "second")
    marks = witness.marks
    assert marks["created"] < marks["runtime_started"] < marks["first_next"]
    assert marks["created"] < marks["started"]


async def test_no_engine_call_while_warm(engine: DockerEngine, obedient: Path) -> None:
    _, witness = await launched(engine, obedient)
    await asyncio.wait_for(engine.settled(), 20)
    before = engine.engine_calls()
    for _ in range(5):
        await asked(witness, "echo hello")
    assert engine.engine_calls() == before


async def test_inside_a_container(engine: DockerEngine, obedient: Path) -> None:
    """User, folders, variables, name service: what a handler sees."""
    _, witness = await launched(engine, obedient, extra_hosts=("db.local:10.9.8.7",))
    assert "uid=993 gid=990" in await asked(witness, "id")
    assert "Read-only" in await asked(witness, "touch /here 2>&1")
    assert "Read-only" in await asked(witness, "touch /var/task/here 2>&1")
    assert "fine" in await asked(witness, "touch /tmp/here && echo fine")
    hosts = await asked(witness, "cat /etc/hosts")
    assert "10.9.8.7\tdb.local" in hosts
    assert "host.docker.internal" in hosts
    assert "nameserver" in await asked(witness, "cat /etc/resolv.conf")
    variables = await asked(witness, "env")
    for line in (
        "STAGE=test",
        "FROM_IMAGE=image",
        "_HANDLER=app.handler",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
        "LAMBDA_TASK_ROOT=/var/task",
    ):
        assert line in variables.splitlines()
    assert "LAMBDASH" not in variables


async def test_environments_resolve_names_of_their_network(
    engine: DockerEngine, options: DockerOptions, obedient: Path, api: Any
) -> None:
    """Joined namespaces share the pause's resolver: a neighbour is found by its name."""
    await launched(engine, obedient, "first")
    await asyncio.wait_for(engine.settled(), 20)
    sandbox, witness = await launched(engine, obedient, "second")
    mode = api.inspect_container(sandbox.id)["HostConfig"]["NetworkMode"]
    assert mode.startswith("container:")
    body = {"Image": REFERENCE, "Cmd": ["/bin/sleep", "60"], "Labels": {"lambdash": "1"}}
    network = options.owner.network
    name = f"neighbour-{options.owner.project}"
    neighbour = api.create_container_from_config(
        {**body, "HostConfig": {"NetworkMode": network}}, name
    )
    try:
        api.start(neighbour["Id"])
        assert name in await asked(witness, f"nslookup {name} 127.0.0.11 2>&1")
    finally:
        api.remove_container(neighbour["Id"], force=True)


async def test_reset_keeps_tmp_and_reports_no_exit(engine: DockerEngine, obedient: Path) -> None:
    sandbox, witness = await launched(engine, obedient)
    await asked(witness, "echo kept > /tmp/file")
    polls = len(witness.requests)
    await engine.reset(sandbox)
    await witness.polled(polls + 1)
    witness.waiting = witness.waiting[-1:]
    assert "kept" in await asked(witness, "cat /tmp/file")
    assert witness.exits == []


async def test_an_exit_is_told_once(engine: DockerEngine, obedient: Path) -> None:
    sandbox, witness = await launched(engine, obedient)
    witness.answer(b"exit 7")
    assert (await witness.ended()).exit_code == 7
    await engine.stop(sandbox, 0)
    assert len(witness.exits) == 1


async def test_a_kill_from_outside_is_noticed(engine: DockerEngine, tree: Path, api: Any) -> None:
    sandbox, witness = await launched(engine, tree)
    api.remove_container(sandbox.id, force=True)
    exit = await witness.ended()
    assert exit.sandbox_lost
    await engine.stop(sandbox, 0)


async def test_out_of_memory_is_named(engine: DockerEngine, obedient: Path) -> None:
    _, witness = await launched(engine, obedient)
    witness.answer(b"exec dd if=/dev/zero of=/dev/null bs=400M count=1")
    assert (await witness.ended()).out_of_memory


async def test_a_dead_pause_is_replaced(
    engine: DockerEngine, options: DockerOptions, tree: Path, api: Any
) -> None:
    await launched(engine, tree, "first")
    await asyncio.wait_for(engine.settled(), 20)
    filters = {"label": [f"lambdash.project={options.owner.project}", "lambdash.role=pause"]}
    for pause in api.containers(filters=filters):
        api.remove_container(pause["Id"], force=True)
    _, witness = await launched(engine, tree, "second")
    assert witness.requests


async def test_a_dead_daemon_leaves_nothing_after_collect(
    options: DockerOptions, tree: Path, api: Any
) -> None:
    """A daemon that never closed; and another project's things, which stay."""
    dead = DockerEngine(options)
    await dead.start()
    await launched(dead, tree)
    other = replace(options, owner=Owner(f"f{options.owner.project[1:]}x", options.owner.daemon))
    neighbour = DockerEngine(other)
    await neighbour.start()
    foreign, _ = await launched(neighbour, tree)

    alive = DockerEngine(replace(options, owner=Owner(options.owner.project, "other-daemon")))
    await alive.start()
    removed = await alive.collect()
    assert removed["containers"] >= 1
    assert api.inspect_container(foreign.id)["State"]["Running"]
    await launched(alive, tree, "again")
    await alive.close()
    assert api.inspect_container(foreign.id)["State"]["Running"]
    await dead.close()
    await neighbour.close()
    assert not any(options.owner.project in name for name in leftovers(api)["networks"])


async def test_a_failed_launch_leaves_nothing(
    engine: DockerEngine, options: DockerOptions, tree: Path, api: Any
) -> None:
    prepared = await engine.prepare(specification(tree), silent)
    (tree / "bootstrap").unlink()
    witness = Witness()
    with pytest.raises(PlatformError):
        await engine.launch(replace(prepared, image="sha256:" + "0" * 64), "e1", (), witness)
    filters = {"label": [f"lambdash.project={options.owner.project}", "lambdash.role=environment"]}
    assert api.containers(all=True, filters=filters) == []


async def test_a_cancelled_launch_leaves_nothing(
    engine: DockerEngine, options: DockerOptions, tree: Path, api: Any
) -> None:
    prepared = await engine.prepare(specification(tree), silent)
    task = asyncio.ensure_future(engine.launch(prepared, "e1", (), Witness()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(engine.settled(), 20)
    filters = {"label": [f"lambdash.project={options.owner.project}", "lambdash.role=environment"]}
    assert api.containers(all=True, filters=filters) == []


async def test_many_at_once(engine: DockerEngine, tree: Path) -> None:
    prepared = await engine.prepare(specification(tree), silent)
    witnesses = [Witness() for _ in range(6)]
    sandboxes = await asyncio.gather(
        *(engine.launch(prepared, f"many{i}", (), each) for i, each in enumerate(witnesses))
    )
    await asyncio.gather(*(each.polled() for each in witnesses))
    assert len({each.id for each in sandboxes}) == 6
    await asyncio.gather(*(engine.stop(each, 0) for each in sandboxes))


async def test_a_missing_network_is_the_callers_mistake(engine: DockerEngine, tree: Path) -> None:
    with pytest.raises(CallerError, match="bridg") as refusal:
        await engine.prepare(specification(tree, network="bridg"), silent)
    assert refusal.value.code == "network-not-found"
    assert "`bridge`" in refusal.value.hint


async def test_an_existing_network_is_joined_and_left_alone(
    engine: DockerEngine, options: DockerOptions, tree: Path, api: Any
) -> None:
    name = f"shop-{options.owner.project}"
    api.create_network(name)
    try:
        await launched(engine, tree, network=name)
        await engine.close()
        assert api.networks(names=[name])
    finally:
        api.remove_network(name)


async def test_delivery_by_volume_and_relay(
    options: DockerOptions, obedient: Path, api: Any
) -> None:
    """As with an engine on another kernel, which sees none of our files."""
    gateway = api.inspect_network("bridge")["IPAM"]["Config"][0]["Gateway"]
    surroundings = replace(
        options.surroundings,
        environ={**options.surroundings.environ, "LAMBDASH_RELAY_ADDRESS": gateway},
    )
    reach = Reach(bind=False, same_kernel=False)
    engine = DockerEngine(replace(options, reach=reach, surroundings=surroundings))
    await engine.start()
    sandbox, witness = await launched(engine, obedient)
    mounts = api.inspect_container(sandbox.id)["Mounts"]
    assert {mount["Type"] for mount in mounts} == {"volume"}
    assert "bootstrap" in await asked(witness, "ls /var/task")
    assert "Read-only" in await asked(witness, "touch /var/task/x 2>&1")
    await engine.stop(sandbox, 0)
    await engine.settled()
    assert await engine.prune_volumes() >= 4
    await engine.close()


async def test_an_image_function_without_a_runtime(engine: DockerEngine, tree: Path) -> None:
    """The image has neither Python nor Node, and says nothing about how it starts."""
    image = await engine.resolve_image(REFERENCE, specification(tree).pull, silent)
    spec = specification(tree, runtime=None, handler=None)

    def revision(config: ImageConfig | None) -> Any:
        configuration = replace(spec.revision.configuration, image_config=config)
        package = ImagePackage(image.reference, image.digest)
        return replace(spec, revision=Revision(configuration, package), code_path=None)

    with pytest.raises(CallerError) as refusal:
        await engine.prepare(revision(None), silent)
    assert refusal.value.code == "entrypoint-missing"
    config = ImageConfig(entry_point=("/bin/sh", "-c"), command=("pwd; env; sleep 100",))
    witness = Witness()
    prepared = await engine.prepare(revision(replace(config, working_directory="/tmp")), silent)
    await engine.launch(prepared, "e1", (), witness)
    await witness.said("STAGE=image")
    assert witness.written.startswith(b"/tmp\n")


async def test_another_architecture_is_refused(engine: DockerEngine, tree: Path) -> None:
    with pytest.raises(CallerError) as refusal:
        await engine.prepare(specification(tree, architecture="arm64"), silent)
    assert refusal.value.code == "architecture-differs"
