"""The docker engine: containers of any engine that speaks Docker's API."""

from lambdash.engines.docker.address import Surroundings
from lambdash.engines.docker.detection import Detection, Found, NotInstalled, Refuses, detect
from lambdash.engines.docker.engine import DockerEngine, DockerOptions
from lambdash.engines.docker.environment import EngineEnvironment
from lambdash.engines.docker.labels import Owner
from lambdash.engines.docker.pauses import SpareBounds

__all__ = [
    "Detection",
    "DockerEngine",
    "DockerOptions",
    "EngineEnvironment",
    "Found",
    "NotInstalled",
    "Owner",
    "Refuses",
    "SpareBounds",
    "Surroundings",
    "detect",
]
