"""``status``, ``ps``, ``logs``, ``history``, ``trace``, ``stop``: what is, was, and the end."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lambdash import __version__, limits
from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services, number_of, text_of
from lambdash.daemon.tracing import trace_document
from lambdash.emulator.log_pattern import parse_pattern
from lambdash.emulator.log_reading import LogQuery, read_log
from lambdash.errors import CallerError
from lambdash.model import ImagePackage, Timings
from lambdash.model.timings import summary_ms
from lambdash.pool import EnvironmentState, EnvironmentView
from lambdash.storage.functions import DeployedFunction
from lambdash.storage.journal import Journal, JournalEntry, LineQuery, LogLine, LogRow

_BUSY = (EnvironmentState.INVOKING, EnvironmentState.RESPONDED)
_STARTING = (EnvironmentState.LAUNCHING, EnvironmentState.INITIALIZING)


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    named = {
        "status": _status,
        "urls": _urls,
        "env": _env,
        "ps": _ps,
        "logs": _logs,
        "history": _history,
        "trace": _trace,
        "stop": _stop,
    }
    return {name: partial(verb, services) for name, verb in named.items()}


async def _status(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    views = services.emulator.environments()
    counts = Counter(view.function for view in views)
    functions = [
        {
            "name": name,
            "runtime": deployed.function.configuration.runtime,
            "revision": deployed.revision.id,
            "state": "Active",
            "package": deployed.package.digest,
            "image": _image(deployed),
            "environments": counts[name],
        }
        for name, deployed in services.emulator.functions.items()
    ]
    known = {function["name"] for function in functions}
    functions += [
        {
            "name": name,
            "runtime": function.configuration.runtime,
            "revision": None,
            "state": "NotDeployed",
            "package": None,
            "image": None,
            "environments": 0,
        }
        for name, function in services.catalog.manifest().functions.items()
        if name not in known
    ]
    return {
        "endpoint": services.endpoint,
        "pid": os.getpid(),
        "version": __version__,
        "engine": services.engine.name,
        "manifest": str(services.catalog.path),
        "uptime_s": round(services.uptime_s, 1),
        "functions": functions,
        "environments": _tally(views),
    }


def _image(deployed: DeployedFunction) -> str | None:
    """The image that its author named; None where the runtime's own serves."""
    if isinstance(deployed.package, ImagePackage):
        return deployed.package.reference
    return deployed.function.configuration.base_image


async def _urls(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    return {"urls": services.doors.urls(services.endpoint)}


async def _env(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    """What an AWS client needs; any keys do where no signature is asked for."""
    keys = services.catalog.manifest().access_keys or {"lambdash": "lambdash"}
    access_key_id, secret = next(iter(keys.items()))
    return {
        "endpoint": services.endpoint,
        "region": services.emulator.place.region,
        "access_key_id": access_key_id,
        "secret_access_key": secret,
    }


def _tally(views: tuple[EnvironmentView, ...]) -> dict[str, int]:
    return {
        "total": len(views),
        "busy": sum(view.state in _BUSY for view in views),
        "idle": sum(view.state is EnvironmentState.IDLE for view in views),
        "starting": sum(view.state in _STARTING for view in views),
    }


async def _ps(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    now = time.monotonic()
    held = services.emulator.driver.environments
    rows = []
    for view in services.emulator.environments():
        environment = held.get(view.id)
        sandbox = None if environment is None else environment.sandbox
        begun = view.since if environment is None else environment.marks["assigned"]
        rows.append(
            {
                "id": view.id,
                "function": view.function,
                "revision": view.revision_id,
                "state": view.state.value,
                "sandbox": None if sandbox is None else sandbox.id,
                "age_s": round(now - begun, 1),
                "invocations": view.served,
                "memory_bytes": None if sandbox is None else sandbox.memory_peak_bytes(),
            }
        )
    return {"environments": rows}


async def _logs(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    function = body.get("function")
    request_id = await _request_id(services, body)
    if function is not None and function not in services.emulator.functions:
        services.catalog.function(str(function))
    now = time.time()
    since = now - number_of(body, "since_s", now)
    limit = int(number_of(body, "limit", limits.LOG_LINES_SHOWN))
    limit = min(limit, limits.JOURNAL_MAX_LOG_LINES)

    keep = parse_pattern(str(body["filter"])) if body.get("filter") else None
    lines = LineQuery(function=function, request_id=request_id, since=since)
    question = partial(read_log, query=LogQuery(lines, limit, keep))

    follower = LogFollower(frozenset([function] if function else ()), request_id, keep)
    unfollow = services.emulator.logs.follow(follower.take) if body.get("follow") else None
    try:
        for line in await services.emulator.journal.read(question):
            _emit(stream, line)
        if unfollow is not None:
            await follower.run(stream)
    finally:
        if unfollow is not None:
            unfollow()
    return {}


async def _request_id(services: Services, body: dict[str, Any]) -> str | None:
    """The whole id of which the request has the beginning."""
    if not body.get("request_id"):
        return None
    given = text_of(body, "request_id")
    entry = await services.emulator.journal.read(lambda journal: journal.entry(given))
    return given if entry is None else entry.request_id


class LogFollower:
    """Lines that came while older ones were read, and later ones, for one client.

    ``functions`` empty means all of them; ``keep`` looks at the text.
    A client slower than a flood loses lines, and is told how many.
    """

    def __init__(
        self,
        functions: frozenset[str],
        request_id: str | None,
        keep: Callable[[str], bool] | None = None,
    ) -> None:
        self._functions = functions
        self._request_id = request_id
        self._keep = keep
        self._lines: asyncio.Queue[LogLine] = asyncio.Queue(limits.LOG_LINES_SHOWN)
        self._lost = 0

    def take(self, row: LogRow) -> None:
        """Keep a line for the client, or count it as lost."""
        line = LogLine(*row)
        if self._functions and line.function not in self._functions:
            return
        if self._request_id not in (None, line.request_id):
            return
        if self._keep is not None and not self._keep(line.text):
            return
        try:
            self._lines.put_nowait(line)
        except asyncio.QueueFull:
            self._lost += 1

    async def run(self, stream: EventStream) -> None:
        """Send lines as they come, until cancelled."""
        while True:
            line = await self._lines.get()
            if self._lost:
                stream.notice(f"{self._lost} log lines were skipped: they came too fast")
                self._lost = 0
            _emit(stream, line)
            await stream.drain()


def _emit(stream: EventStream, line: LogLine) -> None:
    stream.emit(
        "log",
        at=_iso(line.at),
        function=line.function,
        request_id=line.request_id,
        stream=line.stream,
        text=line.text,
    )


async def _history(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    limit = min(int(number_of(body, "limit", 20)), limits.JOURNAL_MAX_INVOCATIONS)

    def question(journal: Journal) -> list[JournalEntry]:
        return journal.recent(limit, body.get("function"), body.get("outcome"))

    entries = await services.emulator.journal.read(question)
    return {"invocations": [_entry(entry) for entry in entries]}


def _entry(entry: JournalEntry) -> dict[str, Any]:
    figures = summary_ms(Timings(**entry.marks))
    return {
        "request_id": entry.request_id,
        "at": _iso(entry.at),
        "function": entry.function,
        "outcome": entry.outcome,
        "start": entry.start,
        "total_ms": figures.get("total"),
        "duration_ms": figures.get("duration"),
        "environment": entry.environment,
    }


async def _trace(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    request_id = text_of(body, "request_id")
    entry = await services.emulator.journal.read(lambda journal: journal.entry(request_id))
    if entry is None:
        raise CallerError(
            "invocation-not-found",
            "nothing was invoked yet"
            if request_id == "last"
            else f"the journal has no invocation {request_id}",
            "`lambdash history` lists those it has; `last` names the newest",
        )
    document = trace_document(entry)
    document["at"] = _iso(entry.at)
    document["imports"] = await services.imports(entry) if body.get("imports") else None
    return document


async def _stop(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    return {"stopped": await services.shutdown()}


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
