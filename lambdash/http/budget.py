"""How many bytes of request bodies the listeners that share a budget hold at once."""

from typing import Protocol


class Holder(Protocol):
    """Whatever answers for bytes that were taken."""

    charged: int


class ByteBudget:
    """A body counts from its head (chunked: as it grows) until its request is answered.

    So one budget bounds what is being read and what waits in queues. Bodies below
    ``limits.HTTP_COUNTED_BODY_MIN_BYTES`` are not counted: the number of connections bounds them.
    """

    __slots__ = ("_held", "_maximum")

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum = maximum_bytes
        self._held = 0

    @property
    def held(self) -> int:
        """How many bytes are taken."""
        return self._held

    def take(self, count: int) -> bool:
        """Take so many bytes; False, and nothing is taken, when they are not there."""
        if self._held + count > self._maximum:
            return False
        self._held += count
        return True

    def give(self, count: int) -> None:
        """Give back what was taken."""
        self._held -= count


def give_back(budget: ByteBudget | None, holder: Holder) -> None:
    """Return what a holder has taken, once."""
    charged, holder.charged = holder.charged, 0
    if budget is not None:
        budget.give(charged)
