"""Where every invocation is written down: the journal, and whoever follows the logs."""

from lambdash.emulator.flight import Flight
from lambdash.emulator.journal import JournalWriter, row_of
from lambdash.emulator.log_reading import FIRST, platform_lines
from lambdash.emulator.logs import LogHub
from lambdash.emulator.turns import is_logged
from lambdash.model import Outcome, Succeeded
from lambdash.storage.journal_rows import entry_of

_UNKNOWN = Succeeded(b"")  # of an invocation that goes on


class Ledger:
    """The platform's own lines of an invocation are made for followers at once, and else by whoever
    reads the journal."""

    def __init__(self, journal: JournalWriter, hub: LogHub) -> None:
        self._journal = journal
        self._hub = hub

    def opened(self, flight: Flight) -> None:
        """The runtime was given the invocation."""
        if self._hub.followers:
            self._tell(flight, _UNKNOWN, first=True)

    def closed(self, flight: Flight, outcome: Outcome) -> None:
        """The turn is over."""
        self._journal.add(flight.record(outcome))
        if self._hub.followers:
            if flight.timings.dispatched is None:
                self._tell(flight, outcome, first=True)
            self._tell(flight, outcome, first=False)

    def _tell(self, flight: Flight, outcome: Outcome, *, first: bool) -> None:
        entry = entry_of(row_of(flight.record(outcome)))
        if flight.logs is None or not is_logged(entry):
            return
        for place, line in platform_lines(entry, flight.logs.stream, opened_only=first):
            if (place == FIRST) is first:
                named = (line.function, line.environment, line.request_id)
                self._hub.tell((line.at, *named, line.stream, line.text))
