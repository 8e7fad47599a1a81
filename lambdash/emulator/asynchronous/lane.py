"""One function's events: what runs, what lies ready in memory, what is known to wait on disk."""

from collections import deque
from collections.abc import Iterator

from lambdash import limits
from lambdash.model.event import AsynchronousEvent
from lambdash.storage.events import Page


class Lane:
    """Decides which event is next and when the disk must be asked; does neither.

    ``claimed`` are the ids that are in memory or whose last word is not on disk yet: a page read
    meanwhile leaves them out, so no event is ever run twice at a time.
    """

    __slots__ = ("_due_at", "_more", "_ready", "claimed", "function_name", "in_flight", "reading")

    def __init__(self, function_name: str) -> None:
        self.function_name = function_name
        self.claimed: set[str] = set()
        self.in_flight: dict[str, AsynchronousEvent] = {}
        self.reading = False
        self._ready: deque[AsynchronousEvent] = deque()
        self._more = False
        self._due_at: float | None = None

    @property
    def due_at(self) -> float | None:
        """When the next event on disk is due (epoch seconds), as far as is known."""
        return self._due_at

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in memory and nothing is known to be on disk."""
        return not (self.claimed or self._more or self.reading) and self._due_at is None

    def accepted(self, event: AsynchronousEvent) -> None:
        """A new event is on disk: it stays in memory too, unless others wait before it."""
        if self._more or self.reading or len(self._ready) >= limits.ASYNC_READ_AHEAD_EVENTS:
            self._more = True
            return
        self.claimed.add(event.request_id)
        self._ready.append(event)

    def due(self, now: float) -> None:
        """Time has passed: what was waiting may be due."""
        if self._due_at is not None and self._due_at <= now:
            self._due_at = None
            self._more = True

    def look(self) -> None:
        """Something on disk may be due."""
        self._more = True

    def take(self, in_flight_max: int) -> Iterator[AsynchronousEvent]:
        """The events to run now."""
        while self._ready and len(self.in_flight) < in_flight_max:
            event = self._ready.popleft()
            self.in_flight[event.request_id] = event
            yield event

    def should_read(self) -> bool:
        """Whether a page is wanted; the caller reads it and calls ``page``."""
        return self._more and not self._ready and not self.reading

    def begin_reading(self) -> frozenset[str]:
        """What the page must leave out."""
        self.reading = True
        self._more = False
        self._due_at = None
        return frozenset(self.claimed)

    def page(self, page: Page) -> None:
        """What the disk had."""
        self.reading = False
        self._more = self._more or not page.complete
        for event in page.events:
            self.claimed.add(event.request_id)
            self._ready.append(event)
        if page.next_due_at is not None:
            self.waits_until(page.next_due_at)

    def ended(self, request_id: str) -> None:
        """An attempt has ended; the event stays claimed until that is on disk."""
        del self.in_flight[request_id]

    def released(self, request_id: str, due_at: float | None) -> None:
        """The last word on an attempt is on disk; the event is due again then, or gone."""
        self.claimed.discard(request_id)
        if due_at is not None:
            self.waits_until(due_at)

    def waits_until(self, due_at: float) -> None:
        """An event on disk is due then."""
        self._due_at = due_at if self._due_at is None else min(self._due_at, due_at)
