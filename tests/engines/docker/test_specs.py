"""Bodies of the engine's API."""

import pytest

from lambdash.engines.docker import specs
from lambdash.engines.docker.labels import Owner
from lambdash.engines.docker.specs import Joined, NetworkKey, Own
from lambdash.model import FunctionConfiguration, Revision, ZipPackage

OWNER = Owner("abcdef012345", "7-x")
KEY = NetworkKey("shop_default", ("db:10.0.0.1",))


def revision(**configuration: object) -> Revision:
    settings: dict[str, object] = {"function_name": "hello", "runtime": "x", "handler": "y"}
    configured = FunctionConfiguration(**{**settings, **configuration})  # type: ignore[arg-type]
    return Revision(configured, ZipPackage("d", 1))


def body(**configuration: object) -> specs.Body:
    return specs.environment(OWNER, revision(**configuration), "e" * 32, "sha256:1")


def test_a_container_may_do_nothing_it_need_not() -> None:
    host = body()["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["LogConfig"] == {"Type": "none"}
    assert host["PidsLimit"] == 1024
    assert body()["User"] == "993:990"


def test_memory_and_storage_are_the_functions() -> None:
    host = body(memory_size_mb=256, ephemeral_storage_mb=1024)["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 260 * 1024 * 1024
    assert "size=1024m" in host["Tmpfs"]["/tmp"]


def test_everything_is_labelled() -> None:
    made = revision()
    assert body()["Labels"] == {
        "lambdash": "1",
        "lambdash.project": "abcdef012345",
        "lambdash.daemon": "7-x",
        "lambdash.role": "environment",
        "lambdash.function": "hello",
        "lambdash.revision": made.id,
        "lambdash.environment": "e" * 32,
    }
    assert (
        specs.container_name(OWNER, "hello", "e" * 32) == f"lambdash-abcdef012345-hello-{'e' * 12}"
    )


def test_a_joined_namespace_brings_its_own_hosts() -> None:
    control = specs.control_by_socket("/run/x.sock")
    host = specs.placed(body(), control, [], Joined("pause"))["HostConfig"]
    assert host["NetworkMode"] == "container:pause"
    assert "ExtraHosts" not in host
    assert host["Mounts"][-1]["Target"] == specs.CONTROL_SOCKET


def test_an_own_namespace_is_made_like_a_pauses() -> None:
    control = specs.control_by_relay("10.0.0.9", 4000, "secret")
    placed = specs.placed(body(), control, [], Own(KEY))
    pause = specs.pause(OWNER, KEY, "image")["HostConfig"]
    for name in ("NetworkMode", "ExtraHosts"):
        assert placed["HostConfig"][name] == pause[name]
    assert placed["HostConfig"]["ExtraHosts"] == [
        "db:10.0.0.1",
        "host.docker.internal:host-gateway",
        "sandbox.localdomain:127.0.0.1",
        "sandbox:127.0.0.1",
    ]
    assert placed["Env"] == [
        "LAMBDASH_RELAY=10.0.0.9:4000",
        "LAMBDASH_RELAY_SECRET=secret",
        "LAMBDASH_GATEWAY_PORT=9002",
    ]


@pytest.mark.parametrize(
    ("memory_mb", "nano_cpus"), [(128, 72_357_263), (1769, 10**9), (10_240, 5_788_581_119)]
)
def test_cpu_goes_with_memory(memory_mb: int, nano_cpus: int) -> None:
    shared = body(memory_size_mb=memory_mb)["HostConfig"]
    assert shared["CpuShares"] == memory_mb
    assert "NanoCpus" not in shared
    limited = body(memory_size_mb=memory_mb, cpu_proportional=True)["HostConfig"]
    assert limited["NanoCpus"] == nano_cpus


def test_placing_leaves_the_body_as_it_was() -> None:
    whole = body()
    before = repr(whole)
    specs.placed(whole, specs.control_by_socket("/x"), [specs.bind("/a", "/b")], Own(KEY))
    assert repr(whole) == before
