"""The Invoke operation. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import base64
import binascii
import json
from functools import lru_cache, partial
from urllib.parse import parse_qs, unquote

from pydantic_core import from_json

from lambdash import limits
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.errors import CallerError, sentences
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import Refusal, caller_fault, refuse
from lambdash.model import PlatformFailed, Succeeded, Throttled
from lambdash.model.arn import FunctionReference, parse_reference

_PREFIX = "/2015-03-31/functions/"
_SUFFIX = "/invocations"
_FUNCTIONS = "/functions/"
_TYPES = (b"Event", b"RequestResponse", b"DryRun")
_ANSWER_LINES = (
    b"content-type: application/json\r\nx-amz-executed-version: %b\r\nx-amzn-requestid: %b\r\n"
)
_NAME_CONSTRAINT = (
    "1 validation error detected: Value '%s' at 'functionName' failed to satisfy "
    "constraint: Member must satisfy regular expression pattern: "
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?"
    r"(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_PENDING = (
    "The operation cannot be performed at this time. The function is currently in the following "
    "state: Pending"
)
_DIFFERENT = "The derived qualifier from the function name does not match the specified qualifier."
_TYPE_CONSTRAINT = (
    "1 validation error detected: Value '%s' at 'invocationType' failed to satisfy "
    "constraint: Member must satisfy enum value set: [%s]"
)


def matches(request: Request) -> bool:
    """Whether a request is an Invoke."""
    path = request.path
    return request.method == "POST" and path.startswith(_PREFIX) and path.endswith(_SUFFIX)


def invoke(emulator: Emulator, request: Request, responder: Responder) -> None:
    """Run the function; the answer is sent when its outcome is known."""
    request_id = emulator.new_request_id()
    try:
        name, options = read_invocation(emulator, request, request_id)
        kind = invocation_type(request, _TYPES)
        _check_event_size(kind, request.body)
    except Refusal as refusal:
        refuse(responder, request_id, refusal.status, refusal.error)
        return
    if kind == b"DryRun":
        responder.send(204, [(b"x-amzn-requestid", request_id.encode())], b"")
        return
    if kind == b"Event":
        _invoke_later(emulator, name, request.body, options, responder)
        return
    answer = partial(_answer, responder, options.tail)
    emulator.invoke(name, request.body or b"{}", options, answer)
    if responder.is_open:
        responder.on_disconnect = partial(emulator.caller_gone, request_id)


def read_invocation(
    emulator: Emulator, request: Request, request_id: str
) -> tuple[str, InvocationOptions]:
    """The function that is asked for, and all but its payload. Raises ``Refusal``."""
    name, qualifier = _asked_for(emulator, request)
    context = _client_context(request)
    _check_payload(request.body)
    trace_id = request.header(b"x-amzn-trace-id")
    options = InvocationOptions(
        request_id=request_id,
        tail=request.header(b"x-amz-log-type") == b"Tail",
        client_context=context,
        trace_id=None if trace_id is None else trace_id.decode("latin-1"),
        qualifier=qualifier,
    )
    return name, options


def refuse_unserved(
    responder: Responder, request_id: str, outcome: Throttled | PlatformFailed
) -> None:
    """429 or 500 for what no function is to blame for."""
    if isinstance(outcome, Throttled):
        members = {"Reason": outcome.reason, "Type": "User", "message": "Rate Exceeded."}
        refuse(responder, request_id, 429, ("TooManyRequestsException", members))
        return
    members = {"Type": "Service", "Message": sentences(outcome.message, outcome.hint)}
    refuse(responder, request_id, 500, ("ServiceException", members))


def _invoke_later(
    emulator: Emulator, name: str, body: bytes, options: InvocationOptions, responder: Responder
) -> None:
    """202 and nothing else, once the event is on disk."""

    def written(error: BaseException | None) -> None:
        if error is None:
            responder.send(202, [(b"x-amzn-requestid", options.request_id.encode())], b"")
        else:
            members = {"Type": "Service", "Message": f"The event could not be kept: {error}"}
            refuse(responder, options.request_id, 500, ("ServiceException", members))

    try:
        emulator.invoke_later(name, body or b"{}", options, written)
    except CallerError as error:
        members = {"Type": "User", "message": error.message}
        refuse(responder, options.request_id, 429, ("TooManyRequestsException", members))


def invocation_type(request: Request, served: tuple[bytes, ...]) -> bytes | None:
    """The one that is asked for, of those that the operation takes. Raises ``Refusal``."""
    kind = request.header(b"x-amz-invocation-type")
    if kind is not None and kind not in served:
        words = (kind.decode("latin-1"), b", ".join(served).decode())
        raise Refusal(400, caller_fault("ValidationException", _TYPE_CONSTRAINT % words))
    return kind


def _check_event_size(kind: bytes | None, body: bytes) -> None:
    if kind == b"Event" and len(body) > limits.ASYNC_PAYLOAD_MAX_BYTES:
        message = (
            f"{len(body)} byte payload is too large for the Event invocation type "
            f"(limit {limits.ASYNC_PAYLOAD_MAX_BYTES} bytes)"
        )
        raise Refusal(413, caller_fault("RequestTooLargeException", message))


def _answer(responder: Responder, tail: bool, result: InvocationResult) -> None:  # noqa: FBT001
    if not responder.is_open:
        return
    outcome = result.outcome
    if isinstance(outcome, Throttled | PlatformFailed):
        refuse_unserved(responder, result.request_id, outcome)
        return
    lines = _ANSWER_LINES % (result.executed_version.encode(), result.request_id.encode())
    if type(outcome) is not Succeeded:
        lines += b"x-amz-function-error: Unhandled\r\n"
    if tail and result.log_tail is not None:
        lines += b"x-amz-log-result: %b\r\n" % base64.b64encode(result.log_tail)
    responder.send_lines(lines, outcome.payload)


def _asked_for(emulator: Emulator, request: Request) -> tuple[str, str | None]:
    """Name and qualifier of a function that is there and can be invoked."""
    reference = _parsed_reference(request.path)
    if reference is None:
        raise Refusal(
            400, caller_fault("ValidationException", _NAME_CONSTRAINT % _asked(request.path))
        )
    qualifier = reference.qualifier
    if request.query:
        qualifier = parse_qs(request.query).get("Qualifier", [qualifier])[0]
    if qualifier != reference.qualifier or reference.region or reference.account_id:
        _check_reference(emulator, reference, qualifier)
    if reference.name not in emulator.functions or (
        qualifier is not None and emulator.registry.target(reference.name, qualifier) is None
    ):
        arn = emulator.place.function_arn(reference.name)
        qualified = arn if qualifier is None else f"{arn}:{qualifier}"
        message = f"Function not found: {qualified}"
        raise Refusal(404, caller_fault("ResourceNotFoundException", message))
    if reference.name in emulator.registry.pending:
        members = {"Type": "User", "message": _PENDING}
        raise Refusal(409, ("ResourceConflictException", members))
    return reference.name, qualifier


def _check_reference(
    emulator: Emulator, reference: FunctionReference, qualifier: str | None
) -> None:
    """Another region or account, or two qualifiers that differ."""
    place = emulator.place
    if reference.region not in (None, place.region):
        message = (
            f"Functions from '{reference.region}' are not reachable in this region "
            f"('{place.region}')"
        )
        raise Refusal(404, caller_fault("ResourceNotFoundException", message))
    if reference.account_id not in (None, place.account_id):
        message = f"Functions of the account {reference.account_id} are not reachable from here"
        raise Refusal(403, ("AccessDeniedException", {"message": message}))
    if reference.qualifier not in (None, qualifier):
        members = {"Type": "User", "message": _DIFFERENT}
        raise Refusal(400, ("InvalidParameterValueException", members))


def _asked(path: str) -> str:
    return unquote(path[path.index(_FUNCTIONS) + len(_FUNCTIONS) : path.rindex("/")])


@lru_cache(maxsize=1_024)
def _parsed_reference(path: str) -> FunctionReference | None:
    return parse_reference(_asked(path))


def _client_context(request: Request) -> str | None:
    """The JSON of ``X-Amz-Client-Context``."""
    encoded = request.header(b"x-amz-client-context")
    if encoded is None:
        return None
    try:
        context = base64.b64decode(encoded, validate=True).decode()
        json.loads(context)
    except (binascii.Error, ValueError, RecursionError) as error:
        message = "Client context must be a valid Base64-encoded JSON object."
        fault = caller_fault("InvalidRequestContentException", message)
        raise Refusal(400, fault) from error
    return context


def _check_payload(body: bytes) -> None:
    """An empty body stands for ``{}``."""
    if not body:
        return
    try:
        from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError:
        _check_slowly(body)


def _check_slowly(body: bytes) -> None:
    """What the fast parser does not take: the standard one decides, and finds the words.

    It knows ``NaN`` and ``Infinity``, which are no JSON.
    """
    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        message = (
            "Could not parse request body into json: Could not parse payload into json: "
            f"{error or 'nested too deeply'}"
        )
        fault = caller_fault("InvalidRequestContentException", message)
        raise Refusal(400, fault) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
