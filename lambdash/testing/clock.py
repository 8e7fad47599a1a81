"""A clock that stands still until it is told to jump."""

from datetime import UTC, datetime, timedelta

_BIRTH = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """``lambdash.clock.Clock`` for tests: monotonic and wall time move together, by ``jump``."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def jump(self, seconds: float) -> None:
        """Let time pass at once."""
        assert seconds >= 0, "monotonic time never goes back"
        self._elapsed_s += seconds

    def monotonic(self) -> float:
        return self._elapsed_s

    def wall(self) -> datetime:
        return _BIRTH + timedelta(seconds=self._elapsed_s)

    def epoch(self) -> float:
        return self.wall().timestamp()
