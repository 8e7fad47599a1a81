"""The environment variables AWS gives a function's process, as a pure function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (defined runtime
environment variables). Those that depend on where things lie (``PATH``, ``LAMBDA_TASK_ROOT``,
``AWS_LAMBDA_RUNTIME_API``, ``AWS_ENDPOINT_URL``) are the engine's to add.
"""

from dataclasses import dataclass

from lambdash.model import FunctionConfiguration
from lambdash.pool import InitializationType
from lambdash.runtime_api.extension_messages import FunctionIdentity

# Shaped as AWS's, valid nowhere: a function that calls AWS reaches no real account.
_ACCESS_KEY_ID = "ASIAIOSFODNN7LAMBDASH"
_SECRET_ACCESS_KEY = "lambdash-local-secret-access-key"  # noqa: S105 - no secret
_SESSION_TOKEN = "lambdash-local-session-token"  # noqa: S105 - no secret
_XRAY_HOST, _XRAY_PORT = "169.254.79.129", "2000"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project pretends to be."""

    region: str = "us-east-1"
    account_id: str = "000000000000"

    def function_arn(self, name: str) -> str:
        """The unqualified ARN of a function."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{name}"

    def identity(self, configuration: FunctionConfiguration) -> FunctionIdentity:
        """What extensions are told of a function."""
        return FunctionIdentity(
            configuration.function_name,
            handler=configuration.handler or "",
            account_id=self.account_id,
        )


def variables(
    configuration: FunctionConfiguration,
    place: Place,
    log_stream: str,
    initialization: InitializationType = InitializationType.ON_DEMAND,
) -> tuple[tuple[str, str], ...]:
    """What AWS sets, then what the function's author set, sorted by name.

    The X-Ray address is that of AWS's own environments; nothing listens there, and nothing is
    traced. Its two halves, and ``AWS_LAMBDA_LOG_FORMAT``, are as environments on AWS show them.
    """
    name = configuration.function_name
    found = {
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": _SECRET_ACCESS_KEY,
        "AWS_SESSION_TOKEN": _SESSION_TOKEN,
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization.value,
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(configuration),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": configuration.logging.log_format,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{_XRAY_HOST}:{_XRAY_PORT}",
        "_AWS_XRAY_DAEMON_ADDRESS": _XRAY_HOST,
        "_AWS_XRAY_DAEMON_PORT": _XRAY_PORT,
    }
    if configuration.logging.log_format == "JSON":
        found["AWS_LAMBDA_LOG_LEVEL"] = configuration.logging.application_log_level
    found.update(_execution_environment(configuration))
    found.update(configuration.environment)
    return tuple(sorted(found.items()))


def log_group(configuration: FunctionConfiguration) -> str:
    """The log group of a function: its own, or the one that AWS makes for it."""
    return configuration.logging.group or f"/aws/lambda/{configuration.function_name}"


def _execution_environment(configuration: FunctionConfiguration) -> dict[str, str]:
    """``AWS_EXECUTION_ENV`` is absent on ``provided.*``; an image brings its own handler."""
    runtime = configuration.runtime
    if runtime is None:
        return {"AWS_EXECUTION_ENV": "AWS_Lambda_Image"}
    handler = {"_HANDLER": configuration.handler or ""}
    if runtime.startswith("provided"):
        return handler
    return {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", **handler}
