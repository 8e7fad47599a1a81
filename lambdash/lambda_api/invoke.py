"""The Invoke operation. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import base64
import binascii
import json
from functools import partial
from urllib.parse import parse_qs, unquote

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.errors import CallerError
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import JSON_TYPE, caller_fault, refuse
from lambdash.model import PlatformFailed, Throttled, function_error
from lambdash.model.arn import LATEST, FunctionReference, parse_reference

_PREFIX = "/2015-03-31/functions/"
_SUFFIX = "/invocations"
_TYPES = (None, b"RequestResponse", b"DryRun", b"Event")
_VERSION = (b"x-amz-executed-version", LATEST.encode())
_UNHANDLED = (b"x-amz-function-error", b"Unhandled")


def matches(request: Request) -> bool:
    """Whether a request is an Invoke."""
    path = request.path
    return request.method == "POST" and path.startswith(_PREFIX) and path.endswith(_SUFFIX)


def invoke(emulator: Emulator, request: Request, responder: Responder) -> None:
    """Run the function; the answer is sent when its outcome is known."""
    request_id = emulator.new_request_id()
    reference = _reference(request)
    if reference is None:
        return refuse(responder, request_id, 400, _bad_name(request))
    if reference.name not in emulator.functions or reference.qualifier not in (None, LATEST):
        return refuse(responder, request_id, 404, _not_found(emulator, reference))
    kind = request.header(b"x-amz-invocation-type")
    if kind not in _TYPES:
        return refuse(responder, request_id, 400, _bad_type(kind or b""))
    if kind == b"Event":
        message = "InvocationType Event is not supported by this version of lambdash."
        fault = caller_fault("InvalidParameterValueException", message)
        return refuse(responder, request_id, 400, fault)
    unreadable = _payload_fault(request.body)
    if unreadable is not None:
        return refuse(responder, request_id, 400, unreadable)
    if kind == b"DryRun":
        return responder.send(204, [(b"x-amzn-requestid", request_id.encode())], b"")
    return _run(emulator, request, responder, (request_id, reference.name))


def _run(
    emulator: Emulator, request: Request, responder: Responder, target: tuple[str, str]
) -> None:
    request_id, name = target
    tail = request.header(b"x-amz-log-type") == b"Tail"
    context, unreadable = _client_context(request)
    if unreadable is not None:
        return refuse(responder, request_id, 400, unreadable)
    trace_id = request.header(b"x-amzn-trace-id")
    options = InvocationOptions(
        request_id=request_id,
        tail=tail,
        client_context=context,
        trace_id=None if trace_id is None else trace_id.decode("latin-1"),
    )
    try:
        emulator.invoke(name, request.body or b"{}", options, partial(_answer, responder))
    except CallerError as error:
        return refuse(responder, request_id, 400, caller_fault("ServiceException", error.message))
    if responder.is_open:
        responder.on_disconnect = partial(emulator.caller_gone, request_id)
    return None


def _answer(responder: Responder, result: InvocationResult) -> None:
    if not responder.is_open:
        return None
    outcome = result.outcome
    if isinstance(outcome, Throttled):
        members = {"Reason": outcome.reason, "Type": "User", "message": "Rate Exceeded."}
        return refuse(responder, result.request_id, 429, ("TooManyRequestsException", members))
    if isinstance(outcome, PlatformFailed):
        members = {"Type": "Service", "Message": f"{outcome.message} {outcome.hint}".strip()}
        return refuse(responder, result.request_id, 500, ("ServiceException", members))
    headers = [JSON_TYPE, _VERSION, (b"x-amzn-requestid", result.request_id.encode())]
    if function_error(outcome) is not None:
        headers.append(_UNHANDLED)
    if result.log_tail is not None:
        headers.append((b"x-amz-log-result", base64.b64encode(result.log_tail)))
    responder.send(200, headers, outcome.payload)
    return None


def _reference(request: Request) -> FunctionReference | None:
    reference = parse_reference(unquote(request.path[len(_PREFIX) : -len(_SUFFIX)]))
    if reference is None or not request.query:
        return reference
    asked = parse_qs(request.query).get("Qualifier")
    return FunctionReference(reference.name, asked[0]) if asked else reference


def _client_context(request: Request) -> tuple[str | None, tuple[str, dict[str, str]] | None]:
    """The JSON of ``X-Amz-Client-Context``, or the fault when it is not base64 of JSON."""
    encoded = request.header(b"x-amz-client-context")
    if encoded is None:
        return None, None
    try:
        context = base64.b64decode(encoded, validate=True).decode()
        json.loads(context)
    except (binascii.Error, ValueError):
        message = "Client context must be a valid Base64-encoded JSON object."
        return None, caller_fault("InvalidRequestContentException", message)
    return context, None


def _payload_fault(body: bytes) -> tuple[str, dict[str, str]] | None:
    if not body:
        return None
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        message = (
            "Could not parse request body into json: Could not parse payload into json: "
            f"{error or 'nested too deeply'}"
        )
        return caller_fault("InvalidRequestContentException", message)
    return None


def _bad_name(request: Request) -> tuple[str, dict[str, str]]:
    name = unquote(request.path[len(_PREFIX) : -len(_SUFFIX)])
    message = (
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?"
        "(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"
    )
    return caller_fault("ValidationException", message)


def _bad_type(kind: bytes) -> tuple[str, dict[str, str]]:
    message = (
        f"1 validation error detected: Value '{kind.decode('latin-1')}' at 'invocationType' failed "
        "to satisfy constraint: Member must satisfy enum value set: "
        "[Event, RequestResponse, DryRun]"
    )
    return caller_fault("ValidationException", message)


def _not_found(emulator: Emulator, reference: FunctionReference) -> tuple[str, dict[str, str]]:
    arn = emulator.place.function_arn(reference.name)
    qualified = arn if reference.qualifier is None else f"{arn}:{reference.qualifier}"
    return caller_fault("ResourceNotFoundException", f"Function not found: {qualified}")


def too_large(emulator: Emulator, responder: Responder) -> None:
    """413 for a body past the limit, before it was read."""
    message = (
        f"Request must be smaller than {limits.REQUEST_PAYLOAD_MAX_BYTES} bytes for the "
        "InvokeFunction operation"
    )
    fault = caller_fault("RequestTooLargeException", message)
    refuse(responder, emulator.new_request_id(), 413, fault)
