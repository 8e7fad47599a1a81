"""The engine's event stream: how the death of a container becomes known without asking."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdash import limits
from lambdash.engines.docker import labels
from lambdash.engines.docker.connection import Connection, connect
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
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="lambdash-events", daemon=True)

    async def start(self) -> None:
        """Returns once the engine is sending events; afterwards losses mend themselves."""
        self._thread.start()
        await self._ready.wait()

    async def close(self) -> None:
        """End the stream and its thread."""
        self._closing.set()
        with self._lock:
            self._cut()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        delay_s, since, lost = limits.ENGINE_RECONNECT_MIN_S, time.time(), False
        while not self._closing.is_set():
            try:
                api = connect(self._address)
            except LambdashError:
                self._closing.wait(delay_s)
                delay_s = min(delay_s * 2, limits.ENGINE_RECONNECT_MAX_S)
                continue
            delay_s = limits.ENGINE_RECONNECT_MIN_S
            with contextlib.closing(api):
                since = self._read(api, since, lost=lost)
            if not self._closing.is_set():
                _log.warning("event stream lost", extra={"engine": self._address.url})
            lost = True

    def _read(self, api: "APIClient", since: float, *, lost: bool) -> float:
        """Read until the stream ends; returns the time of the last event, to go on from."""
        filters = {**self._owner.daemon_filter(), "type": ["container"], "event": list(_ACTIONS)}
        # Whole seconds are what the SDK sends; an event met twice changes nothing.
        stream = api.events(since=int(since), filters=filters, decode=True)
        with self._lock:
            self._stream = stream
            if self._closing.is_set():
                self._cut()
        if lost:
            running = api.containers(filters=self._owner.daemon_filter())
            self._post(self._on_resumed, frozenset(entry["Id"] for entry in running))
        self._post(self._ready.set)
        for raw in stream:
            since = max(since, raw.get("timeNano", 0) / 1e9)
            self._post(self._on_event, parse_event(raw))
        return since

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
