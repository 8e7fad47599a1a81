"""What AWS refuses of a function's configuration beyond its shapes, in AWS's words."""

import json
from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.lambda_api.errors import invalid
from lambdash.lambda_api.operation import Parameters

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (reserved)
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
# Blocked for creating:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
_DEPRECATED = frozenset(
    {
        *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x"),
        *("nodejs12.x", "nodejs14.x", "python2.7", "python3.6", "python3.7", "dotnetcore1.0"),
        *("dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0", "java8", "go1.x"),
        *("ruby2.5", "ruby2.7", "provided"),
    }
)
_VARIABLES = "Lambda was unable to configure your environment variables because the environment "


def check_configuration(parameters: Parameters) -> None:
    """What holds for creating and for updating alike. Raises ``ApiError``."""
    runtime = parameters.get("Runtime")
    if runtime in _DEPRECATED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating "
            "AWS Lambda functions. We recommend you use a supported runtime while creating or "
            "updating functions."
        )
    _check_variables(parameters.get("Environment", {}).get("Variables", {}))


def check_package(parameters: Parameters) -> None:
    """What a new function's package type asks for. Raises ``ApiError``."""
    if parameters.get("PackageType") == "Image":
        if "Runtime" in parameters or "Handler" in parameters or parameters.get("Layers"):
            raise invalid(
                "Please don't provide Handler or Runtime or Layer when the intended function "
                "PackageType is Image."
            )
        if not parameters["Code"].get("ImageUri"):
            raise invalid(
                "Please provide ImageUri when creating a function with packageType Image."
            )
        return
    if "Runtime" not in parameters or "Handler" not in parameters:
        raise invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    if parameters["Code"].get("ImageUri"):
        raise invalid("Please provide a source for function code.")


def _check_variables(variables: Mapping[str, str]) -> None:
    reserved = [name for name in variables if name in _RESERVED]
    if reserved:
        raise invalid(
            f"{_VARIABLES}variables you have provided contains reserved keys that are currently "
            f"not supported for modification. Reserved keys used in this request: "
            f"{', '.join(reserved)}"
        )
    if any("\0" in value for value in variables.values()):
        raise invalid(f"{_VARIABLES}variables you have provided contains a null character.")
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > limits.ENVIRONMENT_VARIABLES_MAX_BYTES:
        raise invalid(
            f"{_VARIABLES}variables you have provided exceeded the 4KB limit. "
            f"String measured: {measured}"
        )


def document_of(parameters: Parameters) -> dict[str, Any]:
    """The members of a request that AWS keeps as they are given, under the same name."""
    document = {name: parameters[name] for name in _AS_GIVEN if name in parameters}
    vpc = parameters.get("VpcConfig")
    if vpc is not None:
        document["VpcConfig"] = _vpc(vpc)
    if "SnapStart" in parameters:
        document["SnapStart"] = {"ApplyOn": "None", "OptimizationStatus": "Off"}
        document["SnapStart"] |= parameters["SnapStart"]
    if "LoggingConfig" in parameters:
        document["LoggingConfig"] = logging_config(parameters["FunctionName"], parameters)
    return document


_VPC_ID = "vpc-00000000000000000"
_AS_GIVEN = (
    "Architectures",
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "ImageConfig",
    "KMSKeyArn",
    "MemorySize",
    "PackageType",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
)


def _vpc(given: Mapping[str, Any]) -> dict[str, Any]:
    """As AWS reports it: every subnet belongs to the account's one VPC."""
    subnets = given.get("SubnetIds", [])
    return {
        "SubnetIds": subnets,
        "SecurityGroupIds": given.get("SecurityGroupIds", []),
        "VpcId": _VPC_ID if subnets else "",
        "Ipv6AllowedForDualStack": given.get("Ipv6AllowedForDualStack", False),
    }


def logging_config(name: str, parameters: Parameters) -> dict[str, Any]:
    """With AWS's defaults: levels exist for the JSON format only."""
    given = parameters["LoggingConfig"]
    found = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **given}
    if found["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **found}
    return found
