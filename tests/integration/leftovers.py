"""Everything of one project that still is on this machine, as its user would find it."""

import os
from contextlib import closing
from pathlib import Path

import docker

from tests.integration.project import Project

_PROC = Path("/proc")


def in_engine(project_id: str) -> set[str]:
    """Containers, networks and volumes that carry the project's label, by kind and name."""
    mine = {"label": [f"lambdash.project={project_id}"]}
    with closing(docker.APIClient(version="auto")) as client:
        containers = client.containers(all=True, filters=mine)
        networks = client.networks(filters=mine)
        volumes = client.volumes(filters=mine)["Volumes"] or []
    return {
        *(f"container {entry['Names'][0]} {entry['Id'][:12]}" for entry in containers),
        *(f"network {entry['Name']} {entry['Id'][:12]}" for entry in networks),
        *(f"volume {entry['Name']}" for entry in volumes),
    }


def processes(project: Project) -> set[int]:
    """Processes that have this project's own folder in their variables, arguments or folder."""
    found = {int(entry.name) for entry in _PROC.glob("[0-9]*") if _is_of(entry, project.root)}
    return found - {os.getpid()}


def _is_of(process: Path, root: Path) -> bool:
    mark = os.fsencode(root) + b"/"
    try:
        variables = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        folder = os.fsencode(os.readlink(process / "cwd")) + b"/"
    except OSError:
        return False
    return mark in variables or folder.startswith(mark)


def files(project: Project) -> set[str]:
    """Sockets, and copies of code, that a stopped daemon must not leave; clients are kept."""
    sockets = [path for path in project.runtime_dir.rglob("*") if path.is_socket()]
    copies = (project.folder / ".lambdash" / "process").glob("*")
    return {str(path) for path in (*sockets, *copies) if path.name != "clients"}


def of(project: Project, *, docker_too: bool) -> list[str]:
    """All of it, for people to read; empty when the project left nothing."""
    named = [f"process {pid} {_command(pid)}" for pid in processes(project)]
    engine = in_engine(project.id) if docker_too else set()
    return sorted([*named, *engine, *files(project)])


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    except OSError:
        return "(gone)"
