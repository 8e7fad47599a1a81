"""What is wrong with a pattern, and in whose words it is told."""

from lambdash.errors import CallerError


class InvalidPattern(CallerError):
    """A pattern that AWS refuses; ``message`` is AWS's own, ``reason`` its part after the colon."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(
            "pattern-invalid",
            message or f"Event pattern is not valid. Reason: {reason}",
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html",
        )
        self.reason = reason
