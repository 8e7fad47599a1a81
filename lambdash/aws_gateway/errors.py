"""What a service beside Lambda refuses, in its own words."""

from lambdash.errors import CallerError


class AwsError(CallerError):
    """``code`` is the service's own (``NoSuchEntity``); ``status`` is HTTP's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.status = status


def not_supported(service: str, operation: str, reason: str) -> AwsError:
    """An operation that AWS has and lambdash has not; ``reason`` is a sentence or nothing."""
    message = f"lambdash does not support {operation} of {service}. {reason}".strip()
    return AwsError("NotImplementedException", message, 501)
