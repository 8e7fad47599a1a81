"""The engine's event stream: how the death of a container becomes known without asking."""

import asyncio
import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdash import limits
from lambdash.engines.docker import labels
from lambdash.engines.docker.connection import Connection, connect, mapped, unreachable
from lambdash.engines.docker.labels import Owner
from lambdash.errors import LambdashError

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)
_ACTIONS = ("die", "oom")


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """``action`` is ``die`` or ``oom``; ``environment_id`` is empty for a pause."""

    action: str
    container: str
    environment_id: str
    exit_code: int | None = None


class EventStream:
    """One thread that reads events of this daemon's containers, and reconnects for ever.

    Both callbacks run on the event loop: ``on_event`` for each event, ``on_resumed`` with the ids
    of the containers that run, after a loss of the stream, when events may have been missed.
    """

    def __init__(
        self,
        connection: Connection,
        owner: Owner,
        on_event: Callable[[ContainerEvent], None],
        on_resumed: Callable[[frozenset[str]], None],
    ) -> None:
        self._address = connection.address
        self._owner = owner
        self._on_event = on_event
        self._on_resumed = on_resumed
        self._closing = threading.Event()
        self._stream: Any = None
        self._since = time.time()
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="lambdash-events", daemon=True)

    async def start(self) -> None:
        """Returns once the engine is sending events; afterwards losses mend themselves.

        Raises ``PlatformError`` (``docker-unreachable``) when it never does.
        """
        self._thread.start()
        try:
            async with asyncio.timeout(limits.ENGINE_CALL_TIMEOUT_S):
                await self._ready.wait()
        except TimeoutError as error:
            raise unreachable(self._address, "it sends no events") from error

    async def close(self) -> None:
        """End the stream and its thread."""
        self._closing.set()
        with self._lock:
            self._cut()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        delay_s, lost = limits.ENGINE_RECONNECT_MIN_S, False
        while not self._closing.is_set():
            before = self._since
            try:
                with contextlib.closing(connect(self._address)) as api:
                    mapped(self._address, functools.partial(self._read, api, lost=lost))
            except (LambdashError, OSError, ValueError) as error:
                _log.debug("event stream refused", exc_info=error)
            lost = True
            heard = self._since > before
            delay_s = limits.ENGINE_RECONNECT_MIN_S if heard else delay_s * 2
            delay_s = min(delay_s, limits.ENGINE_RECONNECT_MAX_S)
            if not self._closing.wait(delay_s):
                _log.warning("event stream lost", extra={"engine": self._address.url})

    def _read(self, api: "APIClient", *, lost: bool) -> None:
        """Read until the stream ends; ``_since`` is the time of the last event, to go on from."""
        filters = {**self._owner.daemon_filter(), "type": ["container"], "event": list(_ACTIONS)}
        # Whole seconds are what the SDK sends; an event met twice changes nothing.
        stream = api.events(since=int(self._since), filters=filters, decode=True)
        with self._lock:
            self._stream = stream
            if self._closing.is_set():
                self._cut()
        if lost:
            running = api.containers(filters=self._owner.daemon_filter())
            self._post(self._on_resumed, frozenset(entry["Id"] for entry in running))
        self._post(self._ready.set)
        for raw in stream:
            self._since = max(self._since, raw.get("timeNano", 0) / 1e9)
            self._post(self._on_event, parse_event(raw))

    def _post(self, action: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(action, *arguments)

    def _cut(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()


def parse_event(raw: dict[str, Any]) -> ContainerEvent:
    """One event of ``GET /events``; the attributes include the container's labels."""
    actor = raw.get("Actor", {})
    attributes = actor.get("Attributes", {})
    code = attributes.get("exitCode", "")
    return ContainerEvent(
        action=str(raw.get("Action", "")),
        container=str(actor.get("ID", "")),
        environment_id=str(attributes.get(labels.ENVIRONMENT, "")),
        exit_code=int(code) if code.lstrip("-").isdigit() else None,
    )
