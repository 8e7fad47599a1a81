"""How large a body may be, operation by operation, and AWS's words for one that is larger."""

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import caller_fault, refuse
from lambdash.lambda_api.invoke import matches

_INVOCATION = ("/invocations", "/response-streaming-invocations", "/invoke-async")


def body_bound(request: Request) -> int:
    """The bound in bytes of a request's body."""
    if request.method == "POST" and request.path.rstrip("/").endswith(_INVOCATION):
        return limits.REQUEST_PAYLOAD_MAX_BYTES
    return limits.API_BODY_MAX_BYTES


def too_large(emulator: Emulator, request: Request, responder: Responder) -> None:
    """413 for a body past the limit, before it was read."""
    bound = body_bound(request)
    if matches(request):
        name, operation = "RequestTooLargeException", "InvokeFunction"
    else:
        name, operation = "RequestEntityTooLargeException", _operation(request)
    message = f"Request must be smaller than {bound} bytes for the {operation} operation"
    fault = (
        caller_fault(name, message)
        if name == "RequestTooLargeException"
        else (name, {"message": message})
    )
    refuse(responder, emulator.new_request_id(), 413, fault)


def overloaded(emulator: Emulator, responder: Responder) -> None:
    """429 for a body that all bodies together leave no room for; clients try such again."""
    members = {"Reason": "CallerRateLimitExceeded", "Type": "User", "message": "Rate Exceeded."}
    refuse(responder, emulator.new_request_id(), 429, ("TooManyRequestsException", members))


def _operation(request: Request) -> str:
    """The model is read for it once, 0.2 s, unless it was before."""
    from lambdash.lambda_api.service_model import match  # noqa: PLC0415

    found = match(request.method, request.path, request.query)
    return "Lambda" if found is None else found.operation
