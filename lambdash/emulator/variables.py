"""The environment variables AWS gives a function's process, as a pure function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (defined runtime
environment variables). Those that depend on where things lie (``PATH``, ``LAMBDA_TASK_ROOT``,
``AWS_LAMBDA_RUNTIME_API``) are the engine's to add.
"""

from dataclasses import dataclass

from lambdash.model import FunctionConfiguration
from lambdash.runtime_api.extension_messages import FunctionIdentity

# Shaped as AWS's, valid nowhere: a function that calls AWS reaches no real account.
_ACCESS_KEY_ID = "ASIAIOSFODNN7LAMBDASH"
_SECRET_ACCESS_KEY = "lambdash-local-secret-access-key"  # noqa: S105 - no secret
_SESSION_TOKEN = "lambdash-local-session-token"  # noqa: S105 - no secret


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
    configuration: FunctionConfiguration, place: Place, log_stream: str
) -> tuple[tuple[str, str], ...]:
    """What AWS sets, then what the function's author set, sorted by name."""
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
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    }
    found.update(_execution_environment(configuration))
    found.update(configuration.environment)
    return tuple(sorted(found.items()))


def _execution_environment(configuration: FunctionConfiguration) -> dict[str, str]:
    """``AWS_EXECUTION_ENV`` is absent on ``provided.*`` and on container images."""
    runtime = configuration.runtime
    if runtime is None:
        return {}
    handler = {"_HANDLER": configuration.handler or ""}
    if runtime.startswith("provided"):
        return handler
    return {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", **handler}
