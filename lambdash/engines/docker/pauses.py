"""How many network namespaces to hold ahead: pure, so that every burst can be replayed in a test.

A namespace is half of a container's cold start. Pause containers own them; an environment joins
one and has it to itself (``127.0.0.1:9001`` exists once in each). Spares cover the largest number
of environments held at once lately, between a minimum and a maximum.
"""

from collections import deque
from dataclasses import dataclass, field

from lambdash import limits


@dataclass(frozen=True, slots=True)
class SpareBounds:
    """How many spare namespaces to hold, and for how long a burst is remembered."""

    minimum: int = limits.SPARE_NAMESPACES_MIN
    maximum: int = limits.SPARE_NAMESPACES_MAX
    memory_s: float = limits.SPARE_NAMESPACES_MEMORY_S


@dataclass(slots=True)
class PauseLedger:
    """The pauses of one (network, extra hosts). ``held`` counts environments, joined or not.

    An environment that found no spare owns its namespace itself, and counts as demand all the same.
    """

    bounds: SpareBounds
    spare: deque[str] = field(default_factory=deque)
    taken: set[str] = field(default_factory=set)
    starting: int = 0
    held: int = 0
    _peaks: deque[tuple[float, int]] = field(default_factory=deque)

    def take(self, now: float) -> str | None:
        """A spare pause, now the caller's, or None; either way one environment more is held."""
        self.held += 1
        self._remember(now)
        if not self.spare:
            return None
        pause = self.spare.popleft()
        self.taken.add(pause)
        return pause

    def give_back(self, pause: str | None) -> None:
        """An environment ended; its pause, if it had one that still lives, is spare again."""
        self.held -= 1
        if pause is not None and pause in self.taken:
            self.taken.discard(pause)
            self.spare.append(pause)

    def lost(self, pause: str) -> None:
        """The pause died: its namespace may live on in an environment, but nobody else can join."""
        self.taken.discard(pause)
        if pause in self.spare:
            self.spare.remove(pause)

    def holds(self, pause: str) -> bool:
        """Whether the pause is one that lives."""
        return pause in self.taken or pause in self.spare

    def begin(self) -> None:
        """A pause is being started."""
        self.starting += 1

    def made(self, pause: str | None) -> None:
        """A started pause is ready, or (None) could not be made."""
        self.starting -= 1
        if pause is not None:
            self.spare.append(pause)

    def wanted(self, now: float) -> int:
        """Spares to hold now: lately's peak less the pauses that will come back, bounded."""
        covered = self._peak(now) - len(self.taken)
        return max(self.bounds.minimum, min(self.bounds.maximum, covered))

    def missing(self, now: float) -> int:
        """How many more pauses to start."""
        return max(0, self.wanted(now) - len(self.spare) - self.starting)

    def excess(self, now: float) -> int:
        """How many spares are more than wanted."""
        return max(0, min(len(self.spare), len(self.spare) + self.starting - self.wanted(now)))

    def surplus(self, now: float) -> list[str]:
        """Spares beyond what is wanted; they leave the ledger, the caller removes them."""
        return [self.spare.pop() for _ in range(self.excess(now))]

    def all(self) -> tuple[str, ...]:
        """Every pause that lives."""
        return (*self.spare, *self.taken)

    def drain(self) -> tuple[str, ...]:
        """Every pause that lives; they leave the ledger, the caller removes them."""
        drained = self.all()
        self.spare.clear()
        self.taken.clear()
        return drained

    def _remember(self, now: float) -> None:
        """Keep peaks falling in size as they get younger: the oldest is the largest still valid."""
        while self._peaks and self._peaks[-1][1] <= self.held:
            self._peaks.pop()
        self._peaks.append((now, self.held))

    def _peak(self, now: float) -> int:
        while self._peaks and self._peaks[0][0] < now - self.bounds.memory_s:
            self._peaks.popleft()
        return max(self.held, self._peaks[0][1] if self._peaks else 0)
