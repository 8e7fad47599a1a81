"""Whether a function's recursive loops are ended."""

from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.references import function_of, reference

_KIND = "recursion"


@operation(
    "PutFunctionRecursionConfig", stored={"RecursiveLoop": "loops are neither found nor ended"}
)
def put_function_recursion_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html."""
    asked = reference(context, parameters)
    function_of(context, asked)
    document = {"RecursiveLoop": parameters["RecursiveLoop"]}
    context.registry.put_setting(_KIND, asked.name, document)
    return document


@operation("GetFunctionRecursionConfig")
def get_function_recursion_config(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionRecursionConfig.html."""
    asked = reference(context, parameters)
    function_of(context, asked)
    return context.registry.setting(_KIND, asked.name) or {"RecursiveLoop": "Terminate"}
