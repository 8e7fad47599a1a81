"""When a client last asked for something: what tells a forgotten daemon from one in use."""

import time


class Activity:
    """``open`` counts control requests being answered; ``last_at`` is monotonic seconds.

    Once ``stopping``, nothing but another ``stop`` is taken.
    """

    __slots__ = ("last_at", "open", "stopping")

    def __init__(self) -> None:
        self.open = 0
        self.stopping = False
        self.last_at = time.monotonic()

    def touch(self) -> None:
        """Somebody asked."""
        self.last_at = time.monotonic()
