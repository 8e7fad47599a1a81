"""The memory all live environments share: a promise about sizes asked for, not a measurement."""

import math


class MemoryBudget:
    """Charges by environment, in megabytes. Those that stop are charged until they have stopped.

    A function larger than the whole budget is charged the whole budget: it runs, but alone.
    """

    __slots__ = ("_budget_mb", "stopping_mb", "used_mb")

    def __init__(self, budget_mb: int | None) -> None:
        self._budget_mb = math.inf if budget_mb is None else budget_mb
        self.used_mb = 0
        self.stopping_mb = 0

    def charge_of(self, memory_mb: int) -> int:
        return int(min(memory_mb, self._budget_mb))

    def fits(self, charge_mb: int) -> bool:
        return self.used_mb + charge_mb <= self._budget_mb

    def will_fit(self, charge_mb: int) -> bool:
        """Whether it fits once everything that stops now has stopped."""
        return self.used_mb - self.stopping_mb + charge_mb <= self._budget_mb

    def take(self, charge_mb: int) -> None:
        self.used_mb += charge_mb

    def stopping(self, charge_mb: int) -> None:
        self.stopping_mb += charge_mb

    def stopped(self, charge_mb: int) -> None:
        self.stopping_mb -= charge_mb
        self.used_mb -= charge_mb
