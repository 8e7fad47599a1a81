"""What runs in a sandbox: arguments, variables, folder; from image and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdash.errors import CallerError
from lambdash.model import FunctionConfiguration, ImageConfig

TASK_ROOT = "/var/task"
TASK_BOOTSTRAP = "/var/task/bootstrap"
LAYERS_BOOTSTRAP = "/opt/bootstrap"
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_DEFAULTS = (("LAMBDA_TASK_ROOT", TASK_ROOT), ("LAMBDA_RUNTIME_DIR", "/var/runtime"))
_ZIP_DEFAULTS = (
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    (
        "LD_LIBRARY_PATH",
        "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    ),
)
_ENDPOINT = "AWS_ENDPOINT_URL"
_IMAGE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ImageStart:
    """What an image says about its own start; empty where it says nothing."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    working_directory: str = ""


@dataclass(frozen=True, slots=True)
class Startup:
    """All an assignment needs but the environment's own variables. ``fixed`` wins over those."""

    arguments: tuple[str, ...]
    working_directory: str
    defaults: Mapping[str, str]
    fixed: Mapping[str, str]

    def variables(
        self,
        given: tuple[tuple[str, str], ...],
        runtime_port: int,
        gateway_port: int | None = None,
    ) -> tuple[tuple[str, str], ...]:
        """Image and engine defaults, then the function's variables, then what nobody may change."""
        address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_port}"}
        endpoint = {} if gateway_port is None else {_ENDPOINT: f"http://127.0.0.1:{gateway_port}"}
        return tuple({**endpoint, **self.defaults, **dict(given), **self.fixed, **address}.items())


def for_zip(
    configuration: FunctionConfiguration, image: ImageStart, *, bootstrap: str | None
) -> Startup:
    """A zip package on a runtime's image. ``bootstrap`` is what an OS-only runtime starts.

    A runtime with its own client is started by the image's entrypoint, with the handler as its
    argument, as the official images define it.
    """
    handler = configuration.handler or ""
    if bootstrap is not None:
        arguments: tuple[str, ...] = (bootstrap,)
    elif image.entrypoint:
        arguments = (*image.entrypoint, handler)
    else:
        raise CallerError(
            "entrypoint-missing",
            f"the image for runtime `{configuration.runtime}` of function "
            f"`{configuration.function_name}` has no entrypoint",
            "use the runtime's official image, or one built on it, as `base_image`",
        )
    return Startup(
        arguments=arguments,
        working_directory=TASK_ROOT,
        defaults=dict((*_DEFAULTS, *_ZIP_DEFAULTS, *image.variables)),
        fixed={"_HANDLER": handler},
    )


def for_image(configuration: FunctionConfiguration, image: ImageStart) -> Startup:
    """A container package. Overriding the entrypoint alone keeps the image's command, as on AWS.

    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-parms
    """
    overrides = configuration.image_config or ImageConfig()
    entrypoint = _first(overrides.entry_point, image.entrypoint)
    arguments = (*entrypoint, *_first(overrides.command, image.command))
    if not arguments:
        raise CallerError(
            "entrypoint-missing",
            f"the image of `{configuration.function_name}` has neither entrypoint nor command",
            "add an ENTRYPOINT to its Dockerfile, or set `image_config.entry_point`",
        )
    return Startup(
        arguments=arguments,
        working_directory=overrides.working_directory or image.working_directory or TASK_ROOT,
        defaults=dict((*_DEFAULTS, ("PATH", _IMAGE_PATH), *image.variables)),
        fixed={},
    )


def _first(override: tuple[str, ...] | None, own: tuple[str, ...]) -> tuple[str, ...]:
    return own if override is None else override
