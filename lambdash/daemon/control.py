"""The control door: ``POST /v1/<verb>`` on the project's unix socket, answered line by line.

An answer is ``application/x-ndjson``: events as they happen (progress, notices, log lines), the
last of them ``result`` or ``error``. Whoever can open the socket (mode 0700 directory) may ask.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from lambdash.daemon.activity import Activity
from lambdash.errors import CallerError, LambdashError, PlatformError
from lambdash.http.request import Request
from lambdash.http.responder import Responder
from lambdash.model.progress import Progress
from lambdash.tasks import Tasks

_log = logging.getLogger("lambdash.control")
_NDJSON = [(b"content-type", b"application/x-ndjson")]
_VERSION = b"x-lambdash-version"
_RESTART = "`lambdash stop`, then try again"
_AGAIN = "run the command again: it starts a new one"
_DIFFERENCES = {
    _VERSION: ("version-differs", "version"),
    b"x-lambdash-engine": ("engine-differs", "engine"),
    b"x-lambdash-env-vars": ("env-vars-differs", "--env-vars"),
}
_JSON = [(b"content-type", b"application/json")]


class EventStream:
    """The answer to one control request while it is being made."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._begun = False

    def emit(self, event: str, **members: Any) -> None:
        """Send one event now; nothing happens when the client has gone."""
        if not self._responder.is_open:
            return
        if not self._begun:
            self._begun = True
            self._responder.start(200, _NDJSON)
        self._responder.write(_line({"event": event, **members}))

    def notice(self, text: str) -> None:
        """A line for the client's stderr."""
        self.emit("notice", text=text)

    def progress(self, step: Progress) -> None:
        """One step of a long piece of work."""
        self.emit(
            "progress",
            task=step.task,
            text=step.text,
            done=step.done,
            total=step.total,
            unit=step.unit,
            finished=step.finished,
        )

    async def drain(self) -> None:
        """Wait until the client has taken what was sent."""
        await self._responder.drain()

    def finish(self, last: dict[str, Any]) -> None:
        """Send the last event; in one write when it is the only one."""
        if not self._responder.is_open:
            return
        if not self._begun:
            self._responder.send(200, _NDJSON, _line(last))
            return
        self._responder.write(_line(last))
        self._responder.end()


Verb: TypeAlias = Callable[[dict[str, Any], EventStream], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Identity:
    """What this daemon is: the ``headers`` a client may hold it to, and the manifest it was made
    from: ``changed`` names a setting of it that only a new daemon can take over, or is empty."""

    headers: Mapping[bytes, str]
    changed: Callable[[], str]


class Control:
    """Dispatches control requests to verbs, one task each, owned by ``tasks``."""

    def __init__(
        self,
        verbs: Mapping[str, Verb],
        tasks: Tasks,
        identity: Identity,
        activity: Activity,
    ) -> None:
        self._verbs = verbs
        self._tasks = tasks
        self._identity = identity
        self._activity = activity

    def handle(self, request: Request, responder: Responder) -> None:
        """Take one request of the control socket."""
        self._activity.touch()
        path = request.path
        if request.method == "GET" and path == "/v1/health":
            return responder.send(200, _JSON, _line({"status": "serving", "pid": os.getpid()}))
        verb = self._verbs.get(path.removeprefix("/v1/"))
        refusal = self._refusal(request)
        if self._activity.stopping and path != "/v1/stop":
            refusal = PlatformError("daemon-stopping", "the daemon is stopping", _RESTART)
        if refusal is None and (verb is None or request.method != "POST"):
            refusal = CallerError("verb-unknown", f"the daemon does not know {path}")
        if refusal is not None or verb is None:
            assert refusal is not None
            status = 400 if refusal.code == "verb-unknown" else 409
            return responder.send(status, _NDJSON, _line(failure(refusal)))
        work = self._perform(verb, request.body, EventStream(responder))
        task = self._tasks.spawn(work, path)
        responder.on_disconnect = partial(_cancel, task)
        return None

    async def _perform(self, verb: Verb, body: bytes, stream: EventStream) -> None:
        self._activity.open += 1
        try:
            await _perform(verb, body, stream)
        finally:
            self._activity.open -= 1
            self._activity.touch()

    def _refusal(self, request: Request) -> LambdashError | None:
        """What the client takes for granted of its daemon, compared with what this one is.

        A client that names no version takes nothing for granted: so ``stop`` is always obeyed.
        """
        headers = self._identity.headers
        for header, own in headers.items():
            asked = request.header(header)
            if asked is not None and asked.decode("latin-1") != own:
                code, what = _DIFFERENCES[header]
                other = asked.decode("latin-1")
                message = f"the running daemon has {what} {own or 'none'}, not {other}"
                return CallerError(code, message, _RESTART)
        changed = self._identity.changed() if request.header(_VERSION) is not None else ""
        if changed:
            message = f"`{changed}` of the manifest has changed since the daemon was started"
            return CallerError("manifest-differs", message, _RESTART)
        return None


def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()


def failure(error: LambdashError) -> dict[str, Any]:
    """The last event of a request that failed."""
    return {
        "event": "error",
        "exit_code": error.exit_code,
        "error": {"code": error.code, "message": error.message, "hint": error.hint},
    }


async def _perform(verb: Verb, body: bytes, stream: EventStream) -> None:
    try:
        result = await verb(_members(body), stream)
    except LambdashError as error:
        stream.finish(failure(error))
    except asyncio.CancelledError:  # by the client, who hears nothing more, or by the end of all
        stream.finish(failure(PlatformError("daemon-stopped", "the daemon was stopped", _AGAIN)))
        raise
    except Exception as error:  # the daemon outlives a bug in one request, and says where it was
        _log.exception("a control request failed")
        text = f"{type(error).__name__}: {error}"
        hint = "please report it with .lambdash/daemon.log"
        stream.finish(failure(PlatformError("internal-error", text, hint)))
    else:
        stream.finish({"event": "result", **result})


def _members(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except RecursionError as error:
        raise CallerError("request-invalid", "the request's body is nested too deeply") from error
    except ValueError as error:
        raise CallerError("request-invalid", f"the request's body is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise CallerError("request-invalid", "the request's body is not a JSON object")
    return document


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
