"""When a function moves to a newer version of its runtime."""

from lambdash.lambda_api.errors import invalid
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.references import arn_of, reference, version_of
from lambdash.model.arn import LATEST

_KIND = "runtime_management"


@operation(
    "PutRuntimeManagementConfig",
    stored={
        "RuntimeVersionArn": "the runtime is the base image's",
        "UpdateRuntimeOn": "`lambdash image pull` updates a runtime, nothing else does",
    },
)
def put_runtime_management_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html."""
    asked = reference(context, parameters)
    version_of(context, asked)
    mode, arn = parameters["UpdateRuntimeOn"], parameters.get("RuntimeVersionArn")
    if (mode == "Manual") == (arn is None):
        raise invalid(
            "RuntimeVersionArn must be given with UpdateRuntimeOn Manual, and with no other value."
        )
    document = {"UpdateRuntimeOn": mode, "RuntimeVersionArn": arn}
    context.registry.put_setting(_KIND, asked.name, document, asked.qualifier or LATEST)
    return {**document, "FunctionArn": arn_of(context, asked.name, asked.qualifier)}


@operation("GetRuntimeManagementConfig")
def get_runtime_management_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html."""
    asked = reference(context, parameters)
    version_of(context, asked)
    found = context.registry.setting(_KIND, asked.name, asked.qualifier or LATEST)
    document = found or {"UpdateRuntimeOn": "Auto"}
    return {**document, "FunctionArn": arn_of(context, asked.name, asked.qualifier)}
