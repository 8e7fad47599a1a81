"""What is wrong with a schedule expression."""

from lambdash.errors import CallerError


class InvalidSchedule(CallerError):
    """An expression AWS refuses: ``message`` is AWS's, which says no more; ``reason`` is ours."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__("schedule-invalid", message, reason)
        self.reason = reason
