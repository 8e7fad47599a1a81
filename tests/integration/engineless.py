"""Running a command as on a machine that has no container engine, whatever this one has."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lambdash.engines.docker.address import Surroundings
from tests.integration.project import Project

_MASK = 'for hidden in $HIDDEN; do mount --bind /dev/null "$hidden" || exit 9; done; exec "$@"'
_PROGRAMS = ("dockerd", "podman", "colima")


def without_engine(project: Project) -> tuple[str, ...]:
    """What to put before a command so that it finds no engine; empty where there is none.

    Sockets and engines' programs are covered in a mount namespace of the command's own, which
    only root can have: skips where that is refused.
    """
    project.variables |= {"DOCKER_HOST": "", "DOCKER_CONTEXT": "default"}
    search = project.variables["PATH"] + ":/usr/sbin:/sbin"
    programs = [shutil.which(name, path=search) for name in _PROGRAMS]
    sockets = Surroundings(project.variables, Path(project.variables["HOME"])).sockets()
    found = [*filter(None, programs), *(str(path) for path in sockets if path.is_socket())]
    if not found:
        return ()
    project.variables["HIDDEN"] = " ".join({os.path.realpath(path) for path in found})
    prefix = ("unshare", "--mount", "sh", "-c", _MASK, "sh")
    tried = subprocess.run([*prefix, "true"], env=project.variables, check=False)
    if tried.returncode != 0:
        pytest.skip("only root can hide this machine's engine from a command")
    return prefix
