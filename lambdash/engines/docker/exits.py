"""One exit out of two reports: the launcher's over its channel, the engine's over its events."""

import asyncio
import dataclasses
import signal

from lambdash.engines.protocol import SandboxExit, SandboxObserver

# The kernel's verdict (out of memory) can come after the news of the death itself.
_VERDICT_WAIT_S = 0.25

_SIGNALLED = 128


class ExitReport:
    """The observer given to a channel; passes everything on, and each life's exit exactly once.

    A death by SIGKILL, or of the whole sandbox, is held for a quarter of a second so that the
    engine's event can say why. Nothing is reported after ``silence``.
    """

    def __init__(self, observer: SandboxObserver) -> None:
        self._observer = observer
        self._held: SandboxExit | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._out_of_memory = False
        self._reported = False
        self._marked: set[str] = set()
        self.container_died = asyncio.Event()

    def runtime_connection(self) -> asyncio.Protocol:
        return self._observer.runtime_connection()

    def output(self, stream: str, data: bytes) -> None:
        self._observer.output(stream, data)

    def mark(self, name: str, at: float) -> None:
        self._observer.mark(name, at)

    def mark_once(self, name: str, at: float) -> None:
        """A mark that two sources can make: the first counts."""
        if name not in self._marked:
            self._marked.add(name)
            self._observer.mark(name, at)

    def exited(self, exit: SandboxExit) -> None:
        """The channel's report."""
        if self._reported:
            return
        if exit.out_of_memory or self._out_of_memory or not _needs_verdict(exit):
            self._report(exit)
        elif self._held is None:
            self._held = exit
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_VERDICT_WAIT_S, self._report, exit)

    def extensions_started(self, names: tuple[str, ...]) -> None:
        self._observer.extensions_started(names)

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        if not self._reported:
            self._observer.extension_exited(name, exit)

    def out_of_memory(self) -> None:
        """The engine's ``oom`` event: the kernel killed something in the container."""
        self._out_of_memory = True
        if self._held is not None:
            self._report(self._held)

    def died(self, exit_code: int | None) -> None:
        """The engine's ``die`` event: the container's first process ended."""
        self.container_died.set()
        if self._reported:
            return
        known = self._held or SandboxExit()
        if known.exit_code is None and known.signal is None and exit_code is not None:
            # the engine reports a signal as shells do
            killed = exit_code > _SIGNALLED
            known = dataclasses.replace(
                known,
                exit_code=None if killed else exit_code,
                signal=exit_code - _SIGNALLED if killed else None,
            )
        self._report(dataclasses.replace(known, sandbox_lost=True))

    def renew(self) -> None:
        """A new life of the runtime process begins."""
        self._cancel()
        self._reported = self._out_of_memory = False

    def silence(self) -> None:
        """What ends from now on was ended by us."""
        self._cancel()
        self._reported = True

    def _report(self, exit: SandboxExit) -> None:
        self.silence()
        killed = self._out_of_memory and _needs_verdict(exit)
        out_of_memory = exit.out_of_memory or killed
        self._observer.exited(dataclasses.replace(exit, out_of_memory=out_of_memory))

    def _cancel(self) -> None:
        self._held = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _needs_verdict(exit: SandboxExit) -> bool:
    """A child killed for its memory does not explain a runtime that ended by itself."""
    return exit.signal == signal.SIGKILL or exit.sandbox_lost
