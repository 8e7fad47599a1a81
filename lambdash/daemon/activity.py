"""When a client last asked for something: what tells a forgotten daemon from one in use."""

import time


class Activity:
    """``open`` counts control requests being answered; ``last_at`` is monotonic seconds."""

    __slots__ = ("last_at", "open")

    def __init__(self) -> None:
        self.open = 0
        self.last_at = time.monotonic()

    def touch(self) -> None:
        """Somebody asked."""
        self.last_at = time.monotonic()
