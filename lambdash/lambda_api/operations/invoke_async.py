"""InvokeAsync: the older way to hand over an event; answered once that is on disk."""

import json

from lambdash.errors import CallerError
from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.references import reference, version_of


@operation("InvokeAsync")
async def invoke_async(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html."""
    asked = reference(context, parameters)
    version_of(context, asked)
    payload = parameters.get("InvokeArgs") or b"{}"
    try:
        json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ApiError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: {error or 'nested too deeply'}",
        ) from error
    try:
        await context.emulator.accept(asked.name, asked.qualifier, payload)
    except CallerError as error:
        raise _refused(error) from error
    return {"Status": 202}


def _refused(error: CallerError) -> ApiError:
    told = error.sentences
    if error.code == "event-too-large":
        return ApiError("RequestTooLargeException", told)
    return ApiError("TooManyRequestsException", told)
