"""What a function of the manifest is connected to: its URL, its event sources, where events go."""

from dataclasses import dataclass, field
from typing import TypeAlias

from lambdash import limits


@dataclass(frozen=True, slots=True)
class Cors:
    """AWS's ``Cors`` structure; ``max_age_s`` None leaves it to the browser.

    Whoever answers by it has header names in lower case and methods in upper case.
    """

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_s: int | None = None


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """A function's own URL."""

    invoke_mode: str = "BUFFERED"
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A route of the project's HTTP API; method ``ANY`` takes all, path ``$default`` the rest."""

    method: str
    path: str
    payload_format_version: str = "2.0"


@dataclass(frozen=True, slots=True)
class SqsSource:
    """A queue that is polled. ``filters`` are patterns as JSON text.

    ``maximum_concurrency`` None leaves it to AWS's own scaling.
    """

    queue_arn: str
    batch_size: int = 10
    window_s: int = 0
    maximum_concurrency: int | None = None
    reports_failures: bool = False
    filters: tuple[str, ...] = ()
    enabled: bool = True


EventSource: TypeAlias = HttpSource | SqsSource


@dataclass(frozen=True, slots=True)
class Connections:
    """Changing one never needs a new revision. Targets are ARNs."""

    url: FunctionUrl | None = None
    dead_letter: str | None = None
    on_success: str | None = None
    on_failure: str | None = None
    maximum_retry_attempts: int = limits.ASYNC_RETRY_ATTEMPTS_DEFAULT
    maximum_event_age_s: int = limits.ASYNC_EVENT_AGE_MAX_S
    event_sources: tuple[EventSource, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class QueueResource:
    """A queue that a deploy makes or changes; ``attributes`` are SQS's, as text."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    line: int | None = None
