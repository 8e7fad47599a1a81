"""How everything made in an engine is marked, named and found again."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

MARK = "lambdash"
PROJECT = "lambdash.project"
FUNCTION = "lambdash.function"
REVISION = "lambdash.revision"
ENVIRONMENT = "lambdash.environment"
DAEMON = "lambdash.daemon"
ROLE = "lambdash.role"
STORE = "lambdash.store"


@dataclass(frozen=True, slots=True)
class Owner:
    """``project`` is the project's id, ``daemon`` this daemon's ``<pid>-<nonce>``."""

    project: str
    daemon: str

    def labels(self, role: str) -> dict[str, str]:
        """Labels of a container or network; ``role`` is environment, pause, probe or network."""
        return {MARK: "1", PROJECT: self.project, DAEMON: self.daemon, ROLE: role}

    def project_filter(self) -> dict[str, list[str]]:
        """The engine's filter for all of this project, of whichever daemon."""
        return {"label": [f"{MARK}=1", f"{PROJECT}={self.project}"]}

    def daemon_filter(self) -> dict[str, list[str]]:
        """The engine's filter for what this daemon made."""
        return {"label": [f"{MARK}=1", f"{PROJECT}={self.project}", f"{DAEMON}={self.daemon}"]}

    @property
    def network(self) -> str:
        """The project's own bridge network."""
        return f"lambdash-{self.project}"


def store_id(store: Path) -> str:
    """12 hex digits of the real path of a store, which is shared by projects, of one user."""
    return hashlib.sha256(os.fsencode(os.path.realpath(store))).hexdigest()[:12]


def store_labels(store: str) -> dict[str, str]:
    """Labels of content-addressed volumes, which the projects of the store share."""
    return {MARK: "1", STORE: store}


def image_labels() -> dict[str, str]:
    """Labels of content-addressed images, which all of the engine's projects share."""
    return {MARK: "1"}
