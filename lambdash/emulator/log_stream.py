"""One environment's log: whose it is, and how its entries are written and filtered."""

import hashlib
import json
import re
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lambdash.emulator.variables import Place, log_group
from lambdash.model import Revision
from lambdash.pool import Launch
from lambdash.runtime_api.platform_lines import Level, json_line, level, text_line
from lambdash.runtime_api.platform_records import PlatformRecord, Subject
from lambdash.storage.journal import StreamRow

_RUNTIME = re.compile(r"([a-z]+)([\d.al]*)(?:\.x)?")
# as Python's logging calls them
_OTHER_NAMES = {"WARNING": "WARN", "CRITICAL": "FATAL"}
# RFC 3339, as the page below wants it
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class LogStream:
    """``created_at`` is epoch seconds; levels are those of ``LoggingConfig``."""

    environment: str
    group: str
    created_at: float
    timeout_s: int
    log_format: str
    application_level: str
    system_level: str
    subject: Subject

    @property
    def name(self) -> str:
        """The log stream's own name."""
        return self.subject.log_stream

    def entry(self, record: PlatformRecord) -> str | None:
        """A platform record as an entry of this log; None when it is not in it."""
        if self.log_format == "Text":
            return text_line(record)
        return json_line(record) if level(record) >= Level[self.system_level] else None

    def keeps(self, line: str) -> bool:
        """Whether the application's log level lets a line through; a text log takes them all.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
        """
        if self.log_format == "Text":
            return True
        return _line_level(line) >= Level[self.application_level]

    def row(self) -> StreamRow:
        """For the journal."""
        document = json.dumps({**asdict(self), "subject": asdict(self.subject)})
        subject = self.subject
        return StreamRow(
            self.environment,
            self.created_at,
            subject.function_name,
            self.group,
            subject.log_stream,
            document,
        )


def stored(row: StreamRow) -> LogStream:
    """Back from the journal."""
    members: dict[str, Any] = json.loads(row.document)
    return LogStream(**{**members, "subject": Subject(**members["subject"])})


def open_stream(launch: Launch, revision: Revision, place: Place, now: datetime) -> LogStream:
    """The log of an environment that is about to be made."""
    configuration = revision.configuration
    logging = configuration.logging
    name, version = configuration.function_name, configuration.version
    # with a log group of its own, streams of several functions lie side by side
    prefix = name if logging.group else ""
    stream = f"{now:%Y/%m/%d}/{prefix}[{version}]{uuid.uuid4().hex}"
    runtime = configuration.runtime
    subject = Subject(
        function_name=name,
        function_arn=place.function_arn(name),
        log_stream=stream,
        memory_size_mb=configuration.memory_size_mb,
        version=version,
        initialization_type=launch.initialization.value,
        runtime_version=None if runtime is None else runtime_version(runtime),
        runtime_version_arn=None if runtime is None else runtime_version_arn(runtime, place.region),
    )
    return LogStream(
        environment=launch.environment_id,
        group=log_group(configuration),
        created_at=now.timestamp(),
        timeout_s=configuration.timeout_s,
        log_format=logging.log_format,
        application_level=logging.application_log_level,
        system_level=logging.system_log_level,
        subject=subject,
    )


def runtime_version(runtime: str) -> str:
    """``python:3.13.v0`` for ``python3.13``: AWS's form, and a number that AWS never gave."""
    found = _RUNTIME.fullmatch(runtime)
    return f"{found[1]}:{found[2].strip('.')}.v0" if found else f"{runtime}.v0"


def runtime_version_arn(runtime: str, region: str) -> str:
    """Shaped as AWS's; the same for the same runtime."""
    digest = hashlib.sha256(runtime.encode()).hexdigest()
    return f"arn:aws:lambda:{region}::runtime:{digest}"


def _line_level(line: str) -> Level:
    """INFO for whatever is not a JSON object with a level and a valid time."""
    if not line.startswith("{"):
        return Level.INFO
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        return Level.INFO
    written = str(members.get("level", "")).upper()
    named = _OTHER_NAMES.get(written, written)
    at = members.get("timestamp", members.get("time"))
    if named not in Level.__members__ or not _TIMESTAMP.fullmatch(str(at)):
        return Level.INFO
    return Level[named]
