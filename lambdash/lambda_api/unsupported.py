"""Operations of AWS's API that are refused by name, each with the reason the documents give."""

from lambdash.lambda_api.errors import ApiError

_DURABLE = "durable functions are not supported yet"
_CAPACITY = "managed instances and their capacity providers are not supported yet"
_RESOURCE_POLICY = "resource policies of the newer form are not supported yet"

UNSUPPORTED = {
    "CheckpointDurableExecution": _DURABLE,
    "DeleteDurableExecution": _DURABLE,
    "GetDurableExecution": _DURABLE,
    "GetDurableExecutionHistory": _DURABLE,
    "GetDurableExecutionState": _DURABLE,
    "ListDurableExecutionsByFunction": _DURABLE,
    "PauseDurableExecution": _DURABLE,
    "ResumeDurableExecution": _DURABLE,
    "SendDurableExecutionCallbackFailure": _DURABLE,
    "SendDurableExecutionCallbackHeartbeat": _DURABLE,
    "SendDurableExecutionCallbackSuccess": _DURABLE,
    "StopDurableExecution": _DURABLE,
    "CreateCapacityProvider": _CAPACITY,
    "DeleteCapacityProvider": _CAPACITY,
    "GetCapacityProvider": _CAPACITY,
    "ListCapacityProviders": _CAPACITY,
    "ListFunctionVersionsByCapacityProvider": _CAPACITY,
    "UpdateCapacityProvider": _CAPACITY,
    "GetFunctionScalingConfig": _CAPACITY,
    "PutFunctionScalingConfig": _CAPACITY,
    "DeleteResourcePolicy": _RESOURCE_POLICY,
    "GetResourcePolicy": _RESOURCE_POLICY,
    "PutResourcePolicy": _RESOURCE_POLICY,
}


def unsupported(operation: str) -> ApiError:
    """501 that names the operation; also for those that only a newer model knows."""
    reason = UNSUPPORTED.get(operation)
    message = f"The operation {operation} is not supported by this version of lambdash"
    return ApiError("NotImplementedException", f"{message}: {reason}." if reason else f"{message}.")
