"""Projects of their own for each test or module; whatever they leave behind fails them."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.integration import leftovers
from tests.integration.project import Project
from tests.session import Session

ENGINES = ("process", pytest.param("docker", marks=pytest.mark.docker))
Begin: TypeAlias = Callable[[str | None], AbstractContextManager[Project]]


@pytest.fixture(scope="session")
def begin(session: Session) -> Iterator[Begin]:
    """Makes a project that uses an engine; packages are shared by all of a session."""
    base = Path(tempfile.mkdtemp(prefix="w-"))
    numbers = itertools.count()
    # a project's copy of the runtime client serves it again after a stop: here, the next project
    kept = base / "clients"

    @contextmanager
    def project(engine: str | None) -> Iterator[Project]:
        made = Project(base / str(next(numbers)), session.store, engine)
        session.claim(f"lambdash.project={made.id}")
        clients = made.folder / ".lambdash" / "process" / "clients"
        if engine == "process" and kept.exists():
            clients.parent.parent.mkdir(mode=0o700)
            clients.parent.mkdir(mode=0o700)
            kept.rename(clients)
        try:
            yield made
        finally:
            stopped = made.run("stop")
            left = leftovers.of(made, docker_too=engine != "process")
            if clients.exists() and not kept.exists():
                clients.rename(kept)
            shutil.rmtree(made.root, ignore_errors=True)
        assert stopped.code == 0, stopped
        assert left == []

    yield project
    shutil.rmtree(base)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    if name == "docker":
        request.getfixturevalue("docker_engine")
    return name


@pytest.fixture
def project(begin: Begin, engine: str) -> Iterator[Project]:
    """A project of one test's own."""
    with begin(engine) as made:
        yield made


@pytest.fixture
def plain(begin: Begin) -> Iterator[Project]:
    """A project of one test's own with the process engine, where the engine is no matter."""
    with begin("process") as made:
        yield made
