"""Write-through in front of the records' file: memory changes at once, one thread writes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lambdash.storage.records import RecordStore, Write


class RecordWriter:
    """Owns the only thread that writes. Belongs to the event loop it is used on."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._pending: list[Write] = []
        self._writing: asyncio.Future[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether everything put here was written."""
        return not self._pending and self._writing is None

    def put(self, kind: str, id: str, document: str | None) -> None:
        """Store a document (JSON text), or remove it; on the disk after the next ``written``."""
        self._pending.append(Write(kind, id, document))

    async def written(self) -> None:
        """Return when all that was put so far is in the file; many callers share one write.

        Raises ``PlatformError``; what could not be written is tried again with the next write.
        """
        while self._pending or self._writing is not None:
            if self._writing is not None:
                await asyncio.wait([self._writing])
                continue
            batch, self._pending = self._pending, []
            loop = asyncio.get_running_loop()
            self._writing = loop.run_in_executor(self._thread, self._store.write, batch)
            try:
                await asyncio.shield(self._writing)
            except Exception:
                self._pending[:0] = batch
                raise
            finally:
                self._writing = None

    async def close(self) -> None:
        """Write what is left, close the file."""
        try:
            await self.written()
        finally:
            self._thread.shutdown()
            self._store.close()
