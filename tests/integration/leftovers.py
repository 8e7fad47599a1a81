"""Everything of one project that still is on this machine, as its user would find it."""

from contextlib import closing

import docker

from tests.integration.project import Project
from tests.session import described, labelled, processes_of


def in_engine(project_id: str) -> set[str]:
    """Containers, networks and volumes that carry the project's label, by kind and name."""
    with closing(docker.APIClient(version="auto")) as client:
        return labelled(client, f"lambdash.project={project_id}")


def processes(project: Project) -> set[int]:
    """Processes that have this project's own folder in their variables, arguments or folder."""
    return processes_of(project.root)


def files(project: Project) -> set[str]:
    """Sockets, and copies of code, that a stopped daemon must not leave; clients are kept."""
    sockets = [path for path in project.runtime_dir.rglob("*") if path.is_socket()]
    copies = (project.folder / ".lambdash" / "process").glob("*")
    return {str(path) for path in (*sockets, *copies) if path.name != "clients"}


def of(project: Project, *, docker_too: bool) -> list[str]:
    """All of it, for people to read; empty when the project left nothing."""
    named = map(described, processes(project))
    engine = in_engine(project.id) if docker_too else set()
    return sorted([*named, *engine, *files(project)])
