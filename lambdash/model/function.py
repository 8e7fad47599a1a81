"""A function as its author describes it: configuration, source and scaling, in AWS's words."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lambdash import limits
from lambdash.model.arn import LATEST
from lambdash.model.connections import Connections


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """Overrides of an image's entrypoint, command and working directory (AWS ``ImageConfig``)."""

    entry_point: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """How a function's log is written (AWS ``LoggingConfig``).

    Levels filter logs in JSON format alone. ``group`` None stands for ``/aws/lambda/<function>``.
    """

    log_format: str = "Text"
    application_log_level: str = "INFO"
    system_log_level: str = "INFO"
    group: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionConfiguration:
    """What an execution environment of the function is made with.

    ``runtime`` and ``handler`` are None for container packages. ``environment`` is sorted by name,
    so that equal configurations are equal values. ``base_image`` replaces the runtime's official
    image for a zip package. ``version`` is ``$LATEST`` or a published number. ``cpu_proportional``
    and ``freeze`` are AWS's ways, off unless asked for: CPU as much as memory, and no running on
    between invocations.
    """

    function_name: str
    runtime: str | None
    handler: str | None
    architecture: str = "x86_64"
    memory_size_mb: int = limits.MEMORY_SIZE_DEFAULT_MB
    timeout_s: int = limits.TIMEOUT_DEFAULT_S
    ephemeral_storage_mb: int = limits.EPHEMERAL_STORAGE_DEFAULT_MB
    environment: tuple[tuple[str, str], ...] = ()
    image_config: ImageConfig | None = None
    base_image: str | None = None
    network: str | None = None
    extra_hosts: tuple[str, ...] = ()
    description: str = ""
    version: str = LATEST
    logging: LoggingConfig = LoggingConfig()
    cpu_proportional: bool = False
    freeze: bool = False


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many environments a function may have; changing it never needs a new revision.

    ``max_environments`` makes invocations wait; ``reserved_concurrent_executions`` throttles them,
    as on AWS (0 throttles all). ``provisioned_concurrent_executions`` environments are initialised
    ahead and kept, whatever ``keep_alive_s`` says; where they are more, they are the maximum.
    """

    max_environments: int = limits.MAX_ENVIRONMENTS_DEFAULT
    reserved_concurrent_executions: int | None = None
    keep_alive_s: float = limits.KEEP_ALIVE_DEFAULT_S
    provisioned_concurrent_executions: int = 0


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of code on this machine, built into a zip package."""

    path: Path


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A container image by reference; pulled when it is missing."""

    reference: str


@dataclass(frozen=True, slots=True)
class DockerfileSource:
    """A Dockerfile the engine builds; ``context`` is the folder it sees."""

    context: Path
    dockerfile: Path
    target: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LayerSource:
    """A folder, or a zip archive, of what comes to ``/opt``; ``name`` is its author's."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A zip as it was uploaded; ``sha256`` is in hex, and names it among the project's archives."""

    sha256: str
    size_bytes: int


FunctionSource: TypeAlias = FolderSource | ImageSource | DockerfileSource | ArchiveSource


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a project. ``line`` is where the manifest defines it (1-based), for hints.

    ``layers`` are in the order of their merging: a later one wins.
    """

    configuration: FunctionConfiguration
    source: FunctionSource
    scaling: Scaling = field(default_factory=Scaling)
    line: int | None = None
    layers: tuple[LayerSource, ...] = ()
    connections: Connections = field(default_factory=Connections)

    @property
    def name(self) -> str:
        return self.configuration.function_name
