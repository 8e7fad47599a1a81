"""Request bodies of the Engine API's ``POST /containers/create``; pure.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdash import limits
from lambdash.engines.docker import labels
from lambdash.engines.docker.labels import Owner
from lambdash.limits import MIB
from lambdash.model import FunctionConfiguration, Revision

# The user of AWS's environments, ``sbx_user1051``.
_USER_ID, _GROUP_ID = 993, 990
_USER = f"{_USER_ID}:{_GROUP_ID}"
# Owned by the user, for runc gives a tmpfs the mode of the folder that it covers.
_TMPFS = f"rw,exec,nosuid,nodev,mode=1777,uid={_USER_ID},gid={_GROUP_ID}"
# ``sandbox`` is where extensions listen for telemetry:
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html
_HOSTS = (
    "host.docker.internal:host-gateway",
    "sandbox.localdomain:127.0.0.1",
    "sandbox:127.0.0.1",
)
LAUNCHER_FOLDER = "/var/lambdash/launcher"
LAUNCHER_NAME = "launcher"
LAUNCHER = f"{LAUNCHER_FOLDER}/{LAUNCHER_NAME}"
CONTROL_SOCKET = "/var/lambdash/control.sock"
TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"
EXTENSIONS = "/opt/extensions"

Mount = dict[str, Any]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NetworkKey:
    """What a namespace is made with; pauses of one key are interchangeable."""

    network: str
    extra_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """The namespace of a pause container."""

    pause: str


@dataclass(frozen=True, slots=True)
class Own:
    """A namespace of the container's own, on a network: slower to start, nothing to share."""

    key: NetworkKey


@dataclass(frozen=True, slots=True)
class Control:
    """How the launcher finds the daemon: its variables, and a mount where a socket is shared."""

    variables: tuple[str, ...]
    mounts: tuple[Mount, ...] = ()


def bind(source: str, target: str, *, read_only: bool = True) -> Mount:
    """A bind that fails, instead of being empty, when the engine cannot see ``source``."""
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def volume(name: str, target: str, *, read_only: bool = True) -> Mount:
    """A named volume; ``NoCopy`` keeps what the image has at ``target`` out of it."""
    options = {"NoCopy": True}
    shape = {"Type": "volume", "Source": name, "Target": target, "ReadOnly": read_only}
    return {**shape, "VolumeOptions": options}


def control_by_socket(path: str) -> Control:
    """A unix socket for this environment alone."""
    mount = bind(path, CONTROL_SOCKET, read_only=False)
    return Control((f"LAMBDASH_CONTROL={CONTROL_SOCKET}",), (mount,))


def control_by_relay(host: str, port: int, secret: str) -> Control:
    """One outward connection, for engines of another kernel."""
    return Control((f"LAMBDASH_RELAY={host}:{port}", f"LAMBDASH_RELAY_SECRET={secret}"))


def environment(owner: Owner, revision: Revision, environment_id: str, image: str) -> Body:
    """The part of an environment's body that does not depend on where it is placed."""
    configuration = revision.configuration
    return {
        "Image": image,
        "User": _USER,
        "Entrypoint": [LAUNCHER],
        "Cmd": [],
        "WorkingDir": "/",
        "AttachStdout": False,
        "AttachStderr": False,
        "Labels": {
            **owner.labels("environment"),
            labels.FUNCTION: configuration.function_name,
            labels.REVISION: revision.id,
            labels.ENVIRONMENT: environment_id,
        },
        "HostConfig": _restrictions(configuration),
    }


def placed(body: Body, control: Control, mounts: Sequence[Mount], network: Joined | Own) -> Body:
    """``body`` with its control channel, mounts and network."""
    host = {**body["HostConfig"], "Mounts": [*mounts, *control.mounts]}
    variables = [*control.variables, f"LAMBDASH_GATEWAY_PORT={limits.GATEWAY_PORT}"]
    whole = {**body, "Env": variables, "HostConfig": host}
    if isinstance(network, Joined):
        host["NetworkMode"] = f"container:{network.pause}"
    else:
        host.update(_attachment(network.key))
    return whole


def pause(owner: Owner, key: NetworkKey, image: str) -> Body:
    """A container that does nothing but own a network namespace."""
    return {
        "Image": image,
        "Entrypoint": ["/launcher", "pause"],
        "Cmd": [],
        "User": _USER,
        "AttachStdout": False,
        "AttachStderr": False,
        "Labels": owner.labels("pause"),
        "HostConfig": {**_harmless(), **_attachment(key), "Memory": 16 * MIB, "PidsLimit": 8},
    }


def probe(owner: Owner, image: str, mounts: Sequence[Mount], variables: Sequence[str]) -> Body:
    """A throw-away container without a network, to learn what the engine can see."""
    return {
        "Image": image,
        "Entrypoint": ["/launcher"],
        "Cmd": [],
        "User": _USER,
        "Env": list(variables),
        "AttachStdout": False,
        "AttachStderr": False,
        "Labels": owner.labels("probe"),
        "HostConfig": {**_harmless(), "NetworkMode": "none", "Mounts": list(mounts)},
    }


def container_name(owner: Owner, function: str, environment_id: str) -> str:
    """Unique in the engine: the last part is, and the project keeps projects apart."""
    return f"lambdash-{owner.project}-{function}-{environment_id[:12]}"


def _attachment(key: NetworkKey) -> Body:
    return {"NetworkMode": key.network, "ExtraHosts": [*key.extra_hosts, *_HOSTS]}


def _harmless() -> Body:
    return {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {"Type": "none"},
        "RestartPolicy": {"Name": "no"},
        "Init": False,
    }


def _cpu(configuration: FunctionConfiguration) -> Body:
    """Where CPUs are short, who has more memory gets more of them; a limit on request only.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    """
    memory_mb = configuration.memory_size_mb
    shares: Body = {"CpuShares": memory_mb}
    if configuration.cpu_proportional:
        shares["NanoCpus"] = memory_mb * 1_000_000_000 // limits.MEMORY_OF_ONE_CPU_MB
    return shares


def _restrictions(configuration: FunctionConfiguration) -> Body:
    memory = (configuration.memory_size_mb + limits.LAUNCHER_MEMORY_MB) * MIB
    files = limits.FILE_DESCRIPTORS_MAX
    size = configuration.ephemeral_storage_mb
    return {
        **_harmless(),
        "Memory": memory,
        "MemorySwap": memory,
        **_cpu(configuration),
        "PidsLimit": limits.PROCESSES_MAX,
        "ShmSize": limits.SHARED_MEMORY_BYTES,
        "Tmpfs": {"/tmp": f"{_TMPFS},size={size}m"},  # noqa: S108
        "Ulimits": [{"Name": "nofile", "Soft": files, "Hard": files}],
    }
