"""Which function has which code signing configuration."""

from collections.abc import Mapping
from typing import Any

from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.operation import Context

KIND = "code-signing-config"
_OF_FUNCTION = "code_signing"


def require_config(context: Context, arn: str) -> None:
    """Raise ``CodeSigningConfigNotFoundException`` where there is no such configuration."""
    if context.registry.object(KIND, arn.rsplit(":", 1)[1]) is None:
        raise ApiError(
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. "
            f"Check that the provided configuration is not deleted: {arn}.",
        )


def put_config(context: Context, name: str, arn: str) -> Mapping[str, Any]:
    """The function has this configuration from now on."""
    document = {"CodeSigningConfigArn": arn, "FunctionName": name}
    context.registry.put_setting(_OF_FUNCTION, name, document)
    return document


def config_of(context: Context, name: str) -> Mapping[str, Any]:
    """What ``put_config`` kept; empty without one."""
    return context.registry.setting(_OF_FUNCTION, name) or {}


def remove_config(context: Context, name: str) -> None:
    """The function has none from now on."""
    context.registry.remove_setting(_OF_FUNCTION, name)
