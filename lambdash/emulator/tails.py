"""The tail of a log, as ``X-Amz-Log-Result`` has it: the last 4 KB of one invocation."""

from lambdash import limits
from lambdash.emulator.log_stream import LogStream
from lambdash.emulator.turns import closing, opening
from lambdash.storage.journal import JournalEntry


def log_tail(entry: JournalEntry, stream: LogStream, written: bytes) -> bytes:
    """START, what was written, END and REPORT.

    Where the init phase failed nothing was handed over, and what it wrote comes first. The report
    is of the moment of the answer, the log's own is of the next poll: some microseconds later.
    """
    first = stream.entry(opening(entry, stream))
    last = [stream.entry(record) for record in closing(entry, stream)]
    head = b"" if first is None else f"{first}\n".encode()
    rest = "".join(f"{text}\n" for text in last if text is not None).encode()
    if written and not written.endswith(b"\n"):
        written += b"\n"
    whole = head + written if "dispatched" in entry.marks else written + head
    return (whole + rest)[-limits.LOG_TAIL_MAX_BYTES :]
