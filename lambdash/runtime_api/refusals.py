"""What the Runtime API refuses, and what becomes of an invocation whose answer it cannot take."""

import base64

from lambdash import limits
from lambdash.model import error_document
from lambdash.runtime_api.messages import Answer, Exchange, refused
from lambdash.runtime_api.routes import Route, RouteKind


def response_too_large(maximum: int) -> bytes:
    """What the caller gets when the runtime's answer was too large."""
    message = f"Response payload size exceeded maximum allowed payload size ({maximum} bytes)."
    return error_document("Function.ResponseSizeTooLarge", message)


RESPONSE_TOO_LARGE = response_too_large(limits.RESPONSE_PAYLOAD_MAX_BYTES)
# what the caller gets when a response in pieces was broken off
RESPONSE_TRUNCATED = error_document("Runtime.TruncatedResponse", "Response was truncated")


def too_large(exchange: Exchange, maximum: int = limits.RESPONSE_PAYLOAD_MAX_BYTES) -> Answer:
    """413, in AWS's words."""
    message = f"Exceeded maximum allowed payload size ({maximum} bytes)."
    return refused(exchange, 413, "RequestEntityTooLarge", message)


def no_such_request(exchange: Exchange) -> Answer:
    """400: the answer is to none, or to another invocation than that in hand."""
    return refused(exchange, 400, "InvalidRequestID", "Invalid request ID")


def no_such_mode(exchange: Exchange) -> Answer:
    """400: a response is streaming, or says nothing of its mode."""
    message = "Invalid function response mode"
    return refused(exchange, 400, "InvalidFunctionResponseMode", message)


def midstream_error(error_type: str, encoded: str) -> bytes:
    """The error that the trailers of a response in pieces tell; its document is in base64."""
    try:
        document = base64.b64decode(encoded, validate=True)
    except ValueError:
        document = b""
    return document or error_document(error_type or "Runtime.Unknown", "")


def off_the_map(exchange: Exchange, route: Route, method: str, path: str) -> Answer:
    """A path that leads to nothing, or to what is not supported."""
    if route.kind is RouteKind.NOT_SUPPORTED:
        message = f"{route.subject} is not supported by this version of lambdash"
        return refused(exchange, 404, route.error_type, message)
    if route.kind is RouteKind.METHOD_NOT_ALLOWED:
        message = f"{method} is not allowed on {path}"
        return refused(exchange, 405, "MethodNotAllowed", message)
    return refused(exchange, 404, "NotFound", f"the Runtime API has no {path}")
