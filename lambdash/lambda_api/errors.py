"""Errors as Lambda answers them; shaped by the service model where the exception is modelled."""

from typing import Any

from lambdash.lambda_api.service_model import error_shape

# https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html and what AWS was seen to answer
_UNMODELLED = {
    "AccessDeniedException": 403,
    "IncompleteSignatureException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "NotImplementedException": 501,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "UnknownOperationException": 404,
    "ValidationException": 400,
}


class ApiError(Exception):
    """An exception of Lambda's API.

    ``fault`` is its ``Type`` (``User``, ``Service``), None where AWS leaves it out; ``members`` are
    further ones of its shape (``Reason``).
    """

    def __init__(
        self, name: str, message: str, fault: str | None = "User", **members: object
    ) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.fault = fault
        self.members = members

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.message!r})"


def not_found(message: str) -> ApiError:
    """404 ``ResourceNotFoundException``."""
    return ApiError("ResourceNotFoundException", message)


def invalid(message: str) -> ApiError:
    """400 ``InvalidParameterValueException``."""
    return ApiError("InvalidParameterValueException", message)


def conflict(message: str) -> ApiError:
    """409 ``ResourceConflictException``."""
    return ApiError("ResourceConflictException", message)


def validation_failed(*problems: str) -> ApiError:
    """400 ``ValidationException``; each problem is ``Value ... at ... failed to satisfy ...``."""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return ApiError("ValidationException", count + "; ".join(problems), fault=None)


def malformed(message: str) -> ApiError:
    """400 ``SerializationException``: a value that is no value of its member's type."""
    return ApiError("SerializationException", message, fault=None)


def wire(error: ApiError) -> tuple[int, dict[str, Any]]:
    """HTTP status and body members. The model decides between ``Message`` and ``message``."""
    shape = error_shape(error.name)
    if shape is None:
        return _UNMODELLED[error.name], {
            **_type_of(error),
            **error.members,
            "message": error.message,
        }
    key = next((name for name in shape.members if name.lower() == "message"), "message")
    body = {**error.members, **_type_of(error), key: error.message}
    return shape.metadata["error"]["httpStatusCode"], body


def _type_of(error: ApiError) -> dict[str, Any]:
    return {} if error.fault is None else {"Type": error.fault}
