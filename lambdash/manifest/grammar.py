"""The manifest's keys, as pydantic models: what each holds, its bounds and its default.

Every field is optional to the models, so that one bad key never hides another; what is required
is checked where functions are assembled, and stands in the JSON Schema.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from lambdash import limits
from lambdash.manifest.connection_grammar import (
    DestinationsEntry,
    EventSourceEntry,
    Resources,
    TargetEntry,
    UrlEntry,
)
from lambdash.manifest.parts import (
    Arguments,
    Files,
    Handler,
    Host,
    ImageItems,
    Number,
    Part,
    Reference,
    Runtime,
    Text,
    Variables,
    Version,
    Whole,
)

NAME_PATTERN = r"^[a-zA-Z0-9_-]{1,64}$"


class Limits(Part):
    """Limits of the account."""

    concurrent_executions: Whole = Field(
        default=limits.CONCURRENT_EXECUTIONS,
        ge=1,
        le=100_000,
        description="Concurrent executions of the whole account.",
    )


class Build(Part):
    """A container image built by the engine from a Dockerfile."""

    dockerfile: Text | None = Field(
        default=None, description="The Dockerfile. Default: `Dockerfile` in `context`."
    )
    context: Text | None = Field(
        default=None,
        description="The folder the build sees. Default: the Dockerfile's own folder.",
    )
    target: Text | None = Field(
        default=None, description="The stage to build. Default: the last one."
    )
    args: Arguments = Field(default={}, description="Build arguments by name.")


class ImageConfig(Part):
    """Overrides of what the image says of itself (AWS `ImageConfig`)."""

    entry_point: ImageItems | None = Field(
        default=None, description="Instead of the image's ENTRYPOINT."
    )
    command: ImageItems | None = Field(default=None, description="Instead of the image's CMD.")
    working_directory: str | None = Field(
        default=None,
        min_length=1,
        max_length=limits.WORKING_DIRECTORY_MAX_CHARS,
        description="Instead of the image's WORKDIR.",
    )


class LayerEntry(Part):
    """A layer that functions share."""

    code: Text | None = Field(
        default=None, description="Folder, or zip archive, of what is found at `/opt`."
    )
    compatible_runtimes: list[Runtime] = Field(
        default=[],
        max_length=limits.LAYER_COMPATIBLE_RUNTIMES_MAX,
        description="Runtimes it is for; any when there are none.",
    )
    compatible_architectures: list[Literal["x86_64", "arm64"]] = Field(
        default=[], description="Instruction sets it is for; any when there are none."
    )


class LoggingConfig(Part):
    """How the log is written (AWS `LoggingConfig`)."""

    log_format: Literal["Text", "JSON"] = Field(
        default="Text", description="Plain text, or a JSON object a line."
    )
    application_log_level: Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] | None = (
        Field(default=None, description="What to keep of the function's own logs, with JSON.")
    )
    system_log_level: Literal["DEBUG", "INFO", "WARN"] | None = Field(
        default=None, description="What to keep of the platform's own records, with JSON."
    )
    log_group: str | None = Field(
        default=None,
        pattern=r"^[\.\-_/#A-Za-z0-9]+$",
        max_length=limits.LOG_GROUP_NAME_MAX_CHARS,
        description="Default: `/aws/lambda/` and the function's name.",
    )


class Settings(Part):
    """What a function may set and `defaults` may set for all of them."""

    runtime: Runtime | None = Field(
        default=None, description="AWS runtime identifier, for functions with `code`."
    )
    handler: Handler | None = Field(
        default=None,
        description="What the runtime calls, for functions with `code`. "
        "Default on `provided.*`: `bootstrap`.",
    )
    architecture: Literal["x86_64", "arm64"] = Field(
        default="x86_64", description="Instruction set."
    )
    memory_size: Whole = Field(
        default=limits.MEMORY_SIZE_DEFAULT_MB,
        ge=limits.MEMORY_SIZE_MIN_MB,
        le=limits.MEMORY_SIZE_MAX_MB,
        description="Memory in MB.",
    )
    timeout: Whole = Field(
        default=limits.TIMEOUT_DEFAULT_S,
        ge=limits.TIMEOUT_MIN_S,
        le=limits.TIMEOUT_MAX_S,
        description="Time an invocation may take, in seconds.",
    )
    ephemeral_storage: Whole = Field(
        default=limits.EPHEMERAL_STORAGE_DEFAULT_MB,
        ge=limits.EPHEMERAL_STORAGE_MIN_MB,
        le=limits.EPHEMERAL_STORAGE_MAX_MB,
        description="Size of /tmp in MB.",
    )
    cpu: Literal["unlimited", "proportional"] = Field(
        default="unlimited",
        description="`proportional` gives one CPU for each 1,769 MB of memory, as AWS does.",
    )
    freeze: bool = Field(
        default=False, description="Whether environments stand still between invocations."
    )
    environment: Variables = Field(
        default={},
        description="Environment variables; 4 KB at most. Merged with `defaults` name by name.",
    )
    layers: list[Text] = Field(
        default=[],
        max_length=limits.LAYERS_MAX,
        description="Layers by name, folder or zip archive; files of a later one win.",
    )
    max_environments: Whole = Field(
        default=limits.MAX_ENVIRONMENTS_DEFAULT,
        ge=1,
        le=limits.MAX_ENVIRONMENTS_MAX,
        description="Execution environments at a time; further invocations wait.",
    )
    keep_alive: Number = Field(
        default=limits.KEEP_ALIVE_DEFAULT_S,
        ge=0,
        le=limits.KEEP_ALIVE_MAX_S,
        allow_inf_nan=False,
        description="How long an idle environment is kept, in seconds.",
    )
    network: Text | None = Field(
        default=None,
        description="An existing network of the engine to join. Default: the project's `network`.",
    )
    extra_hosts: list[Host] = Field(
        default=[],
        description="Further host names, each `name:address`. Default: the project's.",
    )
    logging_config: LoggingConfig = Field(
        default=LoggingConfig(), description="Format, levels and group of the log."
    )


class FunctionEntry(Settings):
    """One function: exactly one of `code`, `image` and `build`, and its settings."""

    code: Text | None = Field(default=None, description="Folder of code, made a zip package.")
    image: Reference | None = Field(default=None, description="Container image by reference.")
    build: Build | None = Field(
        default=None, description="A Dockerfile that becomes the container image."
    )
    description: str = Field(
        default="", max_length=limits.DESCRIPTION_MAX_CHARS, description="Text for people."
    )
    env_file: Files = Field(
        default=[], description="Files of `NAME=value` lines; later ones win over earlier ones."
    )
    base_image: Reference | None = Field(
        default=None,
        description="Image to run `code` in, instead of the runtime's official one.",
    )
    image_config: ImageConfig | None = Field(
        default=None, description="Overrides for functions with `image` or `build`."
    )
    reserved_concurrent_executions: Whole | None = Field(
        default=None,
        ge=0,
        description="Executions at a time; further invocations are throttled. 0 throttles all.",
    )
    event_sources: list[EventSourceEntry] = Field(
        default=[], description="What brings events to the function."
    )
    url: UrlEntry | None = Field(
        default=None, description="A function URL; `{}` is one with the defaults."
    )
    dead_letter: TargetEntry | None = Field(
        default=None, description="Queue for events that failed for good."
    )
    destinations: DestinationsEntry = Field(
        default=DestinationsEntry(), description="Where records of asynchronous invocations go."
    )
    maximum_retry_attempts: Whole = Field(
        default=limits.ASYNC_RETRY_ATTEMPTS_DEFAULT,
        ge=0,
        le=2,
        description="Retries of an asynchronous invocation that failed.",
    )
    maximum_event_age: Whole = Field(
        default=limits.ASYNC_EVENT_AGE_MAX_S,
        ge=60,
        le=limits.ASYNC_EVENT_AGE_MAX_S,
        description="How old an event may become before it is let go, in seconds.",
    )
    provisioned_concurrent_executions: Whole = Field(
        default=0,
        ge=0,
        le=limits.MAX_ENVIRONMENTS_MAX,
        description="Environments initialised ahead and kept.",
    )


class Project(Part):
    """The top of the manifest, less `defaults` and `functions`."""

    version: Version = Field(default=1, ge=1, le=1, description="Version of this grammar: 1.")
    region: str = Field(
        default="us-east-1",
        pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$",
        description="AWS region the functions believe to be in.",
    )
    account_id: str = Field(
        default="000000000000",
        pattern=r"^[0-9]{12}$",
        description="AWS account the functions belong to, 12 digits.",
    )
    engine: Literal["docker", "process"] | None = Field(
        default=None,
        description="What runs environments. Default: docker where an engine is installed.",
    )
    pull: Literal["missing", "never", "always"] = Field(
        default="missing", description="When a registry may be asked for an image."
    )
    network: Text | None = Field(
        default=None, description="An existing network of the engine that functions join."
    )
    extra_hosts: list[Host] = Field(
        default=[], description="Further host names in functions, each `name:address`."
    )
    env_file: Files = Field(
        default=[], description="Files of `NAME=value` lines for all functions."
    )
    layers: dict[str, LayerEntry] = Field(default={}, description="Layers by name.")
    resources: Resources = Field(
        default=Resources(), description="What a deploy makes beside the functions."
    )
    time_scale: Number = Field(
        default=1.0,
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="Factor of the waits of asynchronous invocation; 0.01 makes minutes 0.6 s.",
    )
    limits: Limits = Field(
        default=Limits(), description="Account limits that AWS raises on request."
    )
    scaling: Literal["aws"] | None = Field(
        default=None, description="`aws` throttles what comes or grows faster than on AWS."
    )
    auth: Literal["none", "sigv4"] = Field(
        default="none", description="`sigv4` asks for requests signed by one of `access_keys`."
    )
    access_keys: dict[str, str] = Field(
        default={}, description="Secret access keys by access key id, for `auth: sigv4`."
    )


class ManifestDocument(Project):
    """lambdash.yaml: the functions of a project."""

    model_config = ConfigDict(json_schema_extra={"required": ["version", "functions"]})

    defaults: Settings = Field(
        default=Settings(), description="Settings for functions that do not set them."
    )
    functions: dict[str, FunctionEntry] = Field(
        default={}, description="Functions by FunctionName."
    )
