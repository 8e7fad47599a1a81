"""The blocking Docker SDK behind an asyncio face: a bounded pool of threads, errors mapped once."""

import asyncio
import functools
import itertools
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from lambdash import limits
from lambdash.engines.docker.address import EngineAddress
from lambdash.errors import PlatformError

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

# The oldest API with ``host-gateway`` in extra hosts: Docker 20.10 (December 2020).
OLDEST_API = (1, 41)


class EngineRefused(PlatformError):
    """The engine answered with an HTTP error; ``status`` is its code, the message its own words."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__("docker-refused", message, hint)
        self.status = status


class Connection:
    """One engine. ``api`` may be used from the pool's threads only, through ``run`` or ``call``.

    ``machine`` is the engine's processor in its own word (``amd64``).
    """

    def __init__(self, address: EngineAddress, api: "APIClient", machine: str) -> None:
        self.address = address
        self.api = api
        self.machine = machine
        self._calls = itertools.count()
        self._counted = 0
        self._threads = ThreadPoolExecutor(limits.ENGINE_CALLS_MAX, "lambdash-docker")
        api.hooks["response"].append(self._count)

    @classmethod
    async def open(cls, address: EngineAddress) -> "Connection":
        """Connect and check the API's version.

        Raises ``PlatformError``: ``docker-not-found``, ``docker-permission-denied``,
        ``docker-unreachable`` or ``docker-api-too-old``.
        """
        api = await asyncio.to_thread(connect, address)
        version = await asyncio.to_thread(mapped, address, api.version)
        return cls(address, api, str(version.get("Arch", "")))

    def engine_calls(self) -> int:
        """HTTP calls answered by the engine so far, the event stream's included."""
        return self._counted

    async def run(self, action: Callable[[], T]) -> T:
        """Run in the pool; the SDK's own exceptions pass through."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, action)

    async def call(self, action: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """One call of the SDK, its exceptions mapped: ``EngineRefused`` or ``PlatformError``."""
        return await self.run(
            functools.partial(mapped, self.address, functools.partial(action, *arguments, **named))
        )

    async def forget_missing(
        self, action: Callable[..., object], *arguments: Any, **named: Any
    ) -> bool:
        """A removal that is content when the thing is gone, going, or held by others.

        True if it removed.
        """
        try:
            await self.call(action, *arguments, **named)
        except EngineRefused as refusal:
            if refusal.status not in {403, 404, 409}:
                raise
            return False
        return True

    def close(self) -> None:
        """End the threads and the kept-alive connections; calls in flight finish first."""
        self._threads.shutdown(wait=True)
        self.api.close()

    def _count(self, response: object, *arguments: object, **named: object) -> None:
        self._counted = next(self._calls) + 1


def connect(address: EngineAddress) -> "APIClient":
    """A checked client, for the calling thread to use; blocking."""
    path = address.socket_path
    if path is not None:
        _check_socket(address)
    return mapped(address, functools.partial(_client, address))


def _client(address: EngineAddress) -> "APIClient":
    from docker import APIClient  # noqa: PLC0415 - a tenth of a second, for the daemon alone
    from docker.tls import TLSConfig  # noqa: PLC0415 - as above

    folder = address.tls_folder
    tls: TLSConfig | bool = False
    if folder is not None:
        pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
        tls = TLSConfig(
            client_cert=pair if (folder / "cert.pem").exists() else None,
            ca_cert=str(folder / "ca.pem") if (folder / "ca.pem").exists() else None,
            verify=address.tls_verify,
        )
    api = APIClient(
        base_url=address.url,
        version="auto",
        timeout=round(limits.ENGINE_CALL_TIMEOUT_S),
        tls=tls,
        max_pool_size=limits.ENGINE_CALLS_MAX,
    )
    version = str(api.api_version)
    if tuple(int(part) for part in version.split(".")) < OLDEST_API:
        api.close()
        wanted = ".".join(str(part) for part in OLDEST_API)
        raise PlatformError(
            "docker-api-too-old",
            f"the engine at {address.url} speaks API {version}; lambdash needs {wanted}",
            "update the engine to Docker 20.10 or newer",
        )
    return api


def _check_socket(address: EngineAddress) -> None:
    """Tell apart, by the kernel's own answer, what the SDK reports as one exception."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(limits.ENGINE_CONNECT_TIMEOUT_S)
        try:
            probe.connect(str(address.socket_path))
        except FileNotFoundError as error:
            raise PlatformError(
                "docker-not-found",
                f"no Docker engine answers at {address.url} (from {address.origin})",
                "start Docker, or use `--engine process`, which needs none",
            ) from error
        except PermissionError as error:
            raise PlatformError(
                "docker-permission-denied",
                f"this user may not use the Docker engine at {address.url}",
                "add yourself to its group: `sudo usermod -aG docker $USER`, then log in again",
            ) from error
        except OSError as error:
            raise unreachable(address, str(error)) from error


def unreachable(address: EngineAddress, reason: str) -> PlatformError:
    """The engine is named but does not answer."""
    return PlatformError(
        "docker-unreachable",
        f"the Docker engine at {address.url} (from {address.origin}) does not answer: {reason}",
        "check that it runs with `docker info`; or use `--engine process`, which needs none",
    )


def mapped(address: EngineAddress, action: Callable[[], T]) -> T:
    """The one place where the SDK's exceptions become ours."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415 - loaded already
    from requests.exceptions import RequestException  # noqa: PLC0415 - loaded already

    try:
        return action()
    except APIError as error:
        status = error.response.status_code if error.response is not None else 500
        raise EngineRefused(status, str(error.explanation or error)) from error
    except (DockerException, RequestException) as error:
        raise unreachable(address, str(error)) from error
