"""What the commands use: ask this project's daemon, starting it when it does not run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping

from lambdash import locations
from lambdash.client.connection import CONFLICT, Connection, DaemonError, request_headers
from lambdash.client.settings import Settings
from lambdash.errors import CallerError, PlatformError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambdash.client.connection import Event
    from lambdash.model.project import Project

_NOT_LISTENING = (FileNotFoundError, ConnectionRefusedError)
_POLL_S = 0.05
_DIFFERENCES = {
    "version-differs": "another version of lambdash",
    "engine-differs": "another engine",
    "env-vars-differs": "other --env-vars",
    "daemon-stopping": "been told to stop",
    "manifest-differs": "settings that the manifest no longer has",
}


class Control:
    """The daemon of one project. Raises ``CallerError`` when there is no manifest."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], folder: str) -> None:
        self.settings = settings
        self.environ = environ
        self.manifest = locations.find_manifest(settings.manifest, folder)
        self.socket = locations.socket_path(self.manifest, environ)

    def connect(self) -> Connection | None:
        """A connection to the running daemon, or None when there is none."""
        if not locations.secure_directory(os.path.dirname(self.socket), create=False):
            return None
        try:
            return Connection.open(self.socket)
        except _NOT_LISTENING:
            return None

    def health(self) -> Event | None:
        """The daemon's health, or None when it does not run."""
        connection = self.connect()
        return None if connection is None else connection.health()

    def has_past(self) -> bool:
        """Whether anything was ever invoked here, or a daemon runs that would know."""
        if self.connected():
            return True
        state = locations.state_directory(self.manifest, self.environ)
        return os.path.exists(os.path.join(state, locations.JOURNAL_NAME))

    def connected(self) -> bool:
        """Whether a daemon runs."""
        connection = self.connect()
        if connection is not None:
            connection.close()
        return connection is not None

    def call(self, verb: str, body: Event) -> Iterator[Event]:
        """Every event of the answer, the result last; starts the daemon when it must.

        A daemon of another version or engine is stopped and started anew, once, with a notice.
        """
        try:
            yield from self._ask(verb, body)
        except DaemonError as error:
            if error.status != CONFLICT or error.code not in _DIFFERENCES:
                raise
            yield {"event": "notice", "text": _restart_notice(error.code)}
            self.stop()
            yield from self._ask(verb, body)

    def _ask(self, verb: str, body: Event) -> Iterator[Event]:
        connection = self.connect()
        if connection is None:
            yield from self.start()
            connection = Connection.open(self.socket)
        headers = request_headers(self.settings.engine, self.settings.env_vars)
        yield from connection.call(verb, body, headers)

    def result(self, verb: str, body: Event, observe: Callable[[Event], None]) -> Event:
        """The answer's result; ``observe`` is given every other event as it comes."""
        for event in self.call(verb, body):
            if event.get("event") == "result":
                return event
            observe(event)
        raise AssertionError("an answer without a result raises `daemon-lost`")

    def start(self) -> Iterator[Event]:
        """Start the daemon unless it runs; yields what there is to tell the user."""
        from lambdash.client import daemon_process

        ready = daemon_process.start(self.project(), self.settings.daemon_options())
        if ready is not None:
            yield from ready.get("notices", ())

    def wait(self, timeout_s: float) -> None:
        """Return once the daemon serves; raises ``PlatformError`` ``daemon-not-serving``."""
        deadline = time.monotonic() + timeout_s
        while not self._is_serving():
            if time.monotonic() >= deadline:
                raise PlatformError(
                    "daemon-not-serving",
                    f"no daemon of this project served within {timeout_s:g} s",
                    "`lambdash start` starts one; its log is `.lambdash/daemon.log`",
                )
            time.sleep(_POLL_S)

    def _is_serving(self) -> bool:
        try:
            health = self.health()
        except PlatformError:
            return False
        return health is not None and health.get("status") == "serving"

    def check_port(self, status: Event) -> None:
        """Raise ``CallerError`` ``port-differs`` when the daemon serves elsewhere than asked."""
        port, endpoint = self.settings.port, str(status.get("endpoint"))
        if port and not endpoint.rstrip("/").endswith(f":{port}"):
            raise CallerError(
                "port-differs",
                f"the daemon already serves at {endpoint}",
                "`lambdash stop`, then start it with that port",
            )

    def stop(self) -> Event | None:
        """Stop the daemon and wait until its process is gone; None when there was none."""
        from lambdash.client import daemon_process

        return daemon_process.stop(self.connect)

    def project(self) -> Project:
        """All the project's places; imports what a warm invoke does without."""
        from pathlib import Path

        from lambdash.model.project import locate

        return locate(Path(self.manifest), self.environ)


def working_folder() -> str:
    """The current folder; raises ``CallerError`` ``folder-gone`` when it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError as error:
        hint = "change to a folder that exists"
        raise CallerError("folder-gone", "the current folder has been removed", hint) from error


def _restart_notice(code: str) -> str:
    return f"the running daemon has {_DIFFERENCES[code]}: stopping it and starting anew"
