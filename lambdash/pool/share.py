"""A number of invocations at a time, shared by whoever counts against it."""

from lambdash.pool.commands import ThrottleReason


class Share:
    """``used`` of ``limit``; ``reason`` is what throttles whoever comes on top."""

    __slots__ = ("limit", "reason", "used")

    def __init__(self, limit: int, reason: ThrottleReason) -> None:
        self.limit = limit
        self.reason = reason
        self.used = 0

    def __repr__(self) -> str:
        return f"<Share {self.used}/{self.limit} {self.reason.name}>"
