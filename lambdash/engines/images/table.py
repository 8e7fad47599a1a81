"""The runtimes AWS offers: what each is called, made of, and where its official image lies.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html and
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html (base images).
"""

import difflib
from dataclasses import dataclass
from enum import Enum

from lambdash.errors import CallerError

REGISTRY = "public.ecr.aws/lambda"


class Family(Enum):
    """What runs the handler; the value is the name of the official image's repository."""

    PYTHON = "python"
    NODEJS = "nodejs"
    PROVIDED = "provided"
    JAVA = "java"
    DOTNET = "dotnet"
    RUBY = "ruby"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One AWS runtime identifier (``python3.13``).

    ``version`` is the image's tag; ``glibc`` the target's C library as (major, minor);
    ``execution_environment`` the value of ``AWS_EXECUTION_ENV``, None where AWS sets none.
    """

    identifier: str
    family: Family
    version: str
    glibc: tuple[int, int]

    @property
    def image(self) -> str:
        return f"{REGISTRY}/{self.family.value}:{self.version}"

    @property
    def host_image(self) -> str:
        """The tag of the image made from this machine's own interpreter."""
        return f"lambdash/{self.family.value}:{self.version}-host"

    @property
    def execution_environment(self) -> str | None:
        return None if self.family is Family.PROVIDED else f"AWS_Lambda_{self.identifier}"


# Amazon Linux 2 has glibc 2.26, Amazon Linux 2023 has 2.34
_AL2 = (2, 26)
_AL2023 = (2, 34)


def _row(identifier: str, family: Family, version: str, glibc: tuple[int, int]) -> Runtime:
    return Runtime(identifier, family, version, glibc)


_ROWS = (
    *(_row(f"python3.{minor}", Family.PYTHON, f"3.{minor}", _AL2) for minor in (9, 10, 11)),
    *(_row(f"python3.{minor}", Family.PYTHON, f"3.{minor}", _AL2023) for minor in (12, 13, 14)),
    _row("nodejs18.x", Family.NODEJS, "18", _AL2),
    *(_row(f"nodejs{major}.x", Family.NODEJS, f"{major}", _AL2023) for major in (20, 22, 24)),
    _row("provided.al2", Family.PROVIDED, "al2", _AL2),
    _row("provided.al2023", Family.PROVIDED, "al2023", _AL2023),
    _row("java8.al2", Family.JAVA, "8.al2", _AL2),
    *(_row(f"java{major}", Family.JAVA, f"{major}", _AL2) for major in (11, 17)),
    *(_row(f"java{major}", Family.JAVA, f"{major}", _AL2023) for major in (21, 25)),
    _row("dotnet6", Family.DOTNET, "6", _AL2),
    *(_row(f"dotnet{major}", Family.DOTNET, f"{major}", _AL2023) for major in (8, 9, 10)),
    _row("ruby3.2", Family.RUBY, "3.2", _AL2),
    *(_row(f"ruby{version}", Family.RUBY, version, _AL2023) for version in ("3.3", "3.4", "4.0")),
)

RUNTIMES = {row.identifier: row for row in _ROWS}


def runtime_named(identifier: str) -> Runtime:
    """The runtime of that AWS identifier.

    Raises:
        CallerError: ``runtime-unknown``, with the nearest identifiers as its hint.
    """
    found = RUNTIMES.get(identifier)
    if found is not None:
        return found
    near = difflib.get_close_matches(identifier, RUNTIMES, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(RUNTIMES)}"
    raise CallerError("runtime-unknown", f"`{identifier}` is no AWS runtime", hint)
