"""What a package is built for: AWS's runtime identifier taken apart."""

import re
from dataclasses import dataclass
from enum import Enum

_PYTHON = re.compile(r"python(3\.\d+)")
_NODE = re.compile(r"nodejs(\d+)\.x")
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_NODE_CPUS = {"x86_64": "x64", "arm64": "arm64"}

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: python3.12 and newer run on
# Amazon Linux 2023 (glibc 2.34), older ones on Amazon Linux 2 (glibc 2.26). uv has no tag for 2.26;
# 2.17 is the newest below it.
_FIRST_ON_AMAZON_LINUX_2023 = (3, 12)


class Family(Enum):
    """Which rules a runtime's packages follow."""

    PYTHON = "python"
    NODE = "node"
    PROVIDED = "provided"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Target:
    """``version`` is ``3.12`` or ``20``, empty where the family has none we use."""

    family: Family
    version: str
    architecture: str

    @classmethod
    def of(cls, runtime: str | None, architecture: str) -> "Target":
        runtime = runtime or ""
        if python := _PYTHON.fullmatch(runtime):
            return cls(Family.PYTHON, python[1], architecture)
        if node := _NODE.fullmatch(runtime):
            return cls(Family.NODE, node[1], architecture)
        family = Family.PROVIDED if runtime.startswith("provided") else Family.OTHER
        return cls(family, "", architecture)

    @property
    def glibc(self) -> tuple[int, int]:
        """The newest glibc a binary wheel may ask for."""
        major, minor = (int(part) for part in self.version.split("."))
        return (2, 34) if (major, minor) >= _FIRST_ON_AMAZON_LINUX_2023 else (2, 17)

    @property
    def python_platform(self) -> str:
        """uv's ``--python-platform``."""
        major, minor = self.glibc
        return f"{_MACHINES[self.architecture]}-manylinux_{major}_{minor}"

    @property
    def node_cpu(self) -> str:
        """npm's ``--cpu``."""
        return _NODE_CPUS[self.architecture]
