"""Where the engine's API is: ``DOCKER_HOST``, the CLI's current context, or a well-known socket.

The SDK reads ``DOCKER_HOST`` but not contexts, so the CLI's own order is followed here
(https://docs.docker.com/engine/manage-working-contexts/): ``DOCKER_HOST``, ``DOCKER_CONTEXT``,
``currentContext`` of ``~/.docker/config.json``, the default socket.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdash.errors import CallerError

DEFAULT_SOCKET = Path("/var/run/docker.sock")
_DAEMON_PROGRAMS = ("dockerd", "podman", "colima")
_DESKTOP = Path("/Applications/Docker.app")


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """One API address. ``origin`` says in words where it was found, for error messages.

    ``tls_folder`` holds ``ca.pem``, ``cert.pem`` and ``key.pem`` as the CLI lays them out.
    """

    url: str
    origin: str
    tls_folder: Path | None = None
    tls_verify: bool = True

    @property
    def socket_path(self) -> Path | None:
        """The unix socket's path, or None for an address on a network."""
        if not self.url.startswith("unix://"):
            return None
        return Path("/" + self.url.removeprefix("unix://").lstrip("/"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the search reads. ``system_path`` is where daemons lie that a user's PATH leaves out."""

    environ: Mapping[str, str]
    home: Path
    default_socket: Path = DEFAULT_SOCKET
    system_path: str = ":/usr/sbin:/sbin"

    def sockets(self) -> tuple[Path, ...]:
        """Well-known sockets: the CLI's default, rootless, Desktop, Colima, Podman."""
        runtime = self.environ.get("XDG_RUNTIME_DIR")
        rootless = (Path(runtime) / "docker.sock",) if runtime else ()
        podman = (Path(runtime) / "podman" / "podman.sock",) if runtime else ()
        return (
            self.default_socket,
            *rootless,
            self.home / ".docker" / "run" / "docker.sock",
            self.home / ".docker" / "desktop" / "docker.sock",
            self.home / ".colima" / "default" / "docker.sock",
            *podman,
            self.default_socket.parent / "podman" / "podman.sock",
        )


def find_address(surroundings: Surroundings) -> EngineAddress | None:
    """The address to use, or None when nothing names one and no well-known socket exists.

    Raises ``CallerError`` (``docker-context-unknown``) for a context that has no metadata.
    """
    environ = surroundings.environ
    host = environ.get("DOCKER_HOST", "")
    if host:
        return _from_host(host, surroundings)
    context = environ.get("DOCKER_CONTEXT") or _current_context(surroundings)
    if context and context != "default":
        return _from_context(context, _configuration_folder(surroundings))
    for path in surroundings.sockets():
        if path.is_socket():
            return EngineAddress(url=f"unix://{path}", origin=str(path))
    return None


def daemon_program(surroundings: Surroundings) -> str | None:
    """An installed engine that is not running: a daemon's binary, never the bare client."""
    search = surroundings.environ.get("PATH", "") + surroundings.system_path
    for program in _DAEMON_PROGRAMS:
        if shutil.which(program, path=search):
            return program
    return "Docker Desktop" if _DESKTOP.exists() else None


def _configuration_folder(surroundings: Surroundings) -> Path:
    named = surroundings.environ.get("DOCKER_CONFIG")
    return Path(named) if named else surroundings.home / ".docker"


def _from_host(host: str, surroundings: Surroundings) -> EngineAddress:
    environ = surroundings.environ
    verify = environ.get("DOCKER_TLS_VERIFY", "") != ""
    named = environ.get("DOCKER_CERT_PATH")
    folder = Path(named) if named else _configuration_folder(surroundings)
    uses_tls = host.startswith("tcp://") and (verify or named is not None)
    return EngineAddress(
        url=host,
        origin="DOCKER_HOST",
        tls_folder=folder if uses_tls else None,
        tls_verify=verify,
    )


def _current_context(surroundings: Surroundings) -> str | None:
    document = _read_json(_configuration_folder(surroundings) / "config.json")
    context = document.get("currentContext")
    return context if isinstance(context, str) else None


def _from_context(context: str, folder: Path) -> EngineAddress:
    identity = hashlib.sha256(context.encode()).hexdigest()
    document = _read_json(folder / "contexts" / "meta" / identity / "meta.json")
    endpoints = document.get("Endpoints")
    endpoint = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = endpoint.get("Host") if isinstance(endpoint, dict) else None
    if not isinstance(endpoint, dict) or not isinstance(host, str) or not host:
        raise CallerError(
            "docker-context-unknown",
            f"the Docker context `{context}` has no endpoint under {folder}",
            "list the contexts with `docker context ls`, choose one with `docker context use`",
        )
    tls = folder / "contexts" / "tls" / identity / "docker"
    return EngineAddress(
        url=host,
        origin=f"Docker context `{context}`",
        tls_folder=tls if tls.is_dir() else None,
        tls_verify=not endpoint.get("SkipTLSVerify", False),
    )


def _read_json(path: Path) -> dict[str, object]:
    """The object in a file of the CLI's, or an empty one: the CLI tolerates both being absent."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
