"""One project: a manifest file and where everything that belongs to it lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdash import locations


@dataclass(frozen=True, slots=True)
class Project:
    """``id`` names the project in labels and paths; ``manifest`` is absolute, links not resolved.

    ``lock`` is held by the running daemon for its whole life; ``start_lock`` by a client while it
    starts one. Nothing here has been created yet.
    """

    manifest: Path
    id: str
    runtime_dir: Path
    state_dir: Path
    socket: Path
    lock: Path
    start_lock: Path
    log: Path


def locate(manifest: Path, environ: Mapping[str, str]) -> Project:
    """The project of a manifest file; asks the file system, changes nothing."""
    path = str(manifest.absolute())
    identity = locations.project_id(path)
    runtime_dir = Path(locations.runtime_directory(environ))
    state_dir = Path(locations.state_directory(path, environ))
    return Project(
        manifest=Path(path),
        id=identity,
        runtime_dir=runtime_dir,
        state_dir=state_dir,
        socket=Path(locations.socket_path(path, environ)),
        lock=runtime_dir / f"{identity}.lock",
        start_lock=runtime_dir / f"{identity}.start",
        log=state_dir / locations.LOG_NAME,
    )
