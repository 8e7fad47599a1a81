"""The keys that connect a function: targets, URLs, event sources, and the resources behind them."""

from typing import Any, Literal

from pydantic import Field

from lambdash.manifest.parts import Part, Text, Whole


class TargetEntry(Part):
    """Where a record goes: exactly one of these."""

    queue: Text | None = Field(default=None, description="A queue of `resources`, or its ARN.")
    function: Text | None = Field(default=None, description="A function of this manifest.")
    arn: Text | None = Field(default=None, description="The ARN of a queue or a function.")


class DestinationsEntry(Part):
    """Who is told how an asynchronous invocation ended."""

    on_success: TargetEntry | None = Field(default=None, description="After a success.")
    on_failure: TargetEntry | None = Field(
        default=None, description="After the last retry, or past the maximum age."
    )


class CorsEntry(Part):
    """What pages of other origins may do (AWS `Cors`)."""

    allow_origins: list[Text] = Field(default=[], description="Origins, or `*`.")
    allow_methods: list[Text] = Field(default=[], description="Methods, or `*`.")
    allow_headers: list[Text] = Field(default=[], description="Request headers, or `*`.")
    expose_headers: list[Text] = Field(
        default=[], description="Response headers that pages may read."
    )
    allow_credentials: bool = Field(default=False, description="Whether cookies are sent.")
    max_age: Whole | None = Field(
        default=None, ge=0, le=86_400, description="How long a preflight holds, in seconds."
    )


class UrlEntry(Part):
    """A function URL."""

    auth_type: Literal["NONE"] = Field(default="NONE", description="Anyone may call it.")
    invoke_mode: Literal["BUFFERED", "RESPONSE_STREAM"] = Field(
        default="BUFFERED", description="Whether responses are passed on as they are made."
    )
    cors: CorsEntry | None = Field(default=None, description="What other origins may do.")


class HttpEntry(Part):
    """A route of the project's HTTP API, in its long form."""

    method: Literal["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(
        default="ANY", description="HTTP method, or `ANY`."
    )
    path: Text | None = Field(
        default=None, description="`/orders/{id}`, `/{proxy+}` or `$default`."
    )
    payload_format_version: Literal["2.0"] = Field(
        default="2.0", description="Format of the event."
    )


class SqsEntry(Part):
    """A queue to poll, in its long form."""

    queue: Text | None = Field(default=None, description="A queue of `resources`, or its ARN.")
    batch_size: Whole = Field(
        default=10, ge=1, le=10_000, description="Messages in a batch, at most."
    )
    maximum_batching_window: Whole = Field(
        default=0, ge=0, le=300, description="How long a batch waits to fill up, in seconds."
    )
    maximum_concurrency: Whole | None = Field(
        default=None, ge=2, le=1_000, description="Batches in flight at a time."
    )
    function_response_types: list[Literal["ReportBatchItemFailures"]] = Field(
        default=[], description="Whether the function names the messages that failed."
    )
    filters: list[dict[str, Any]] = Field(
        default=[], max_length=5, description="Event patterns; a message must match one."
    )
    enabled: bool = Field(default=True, description="Whether it is polled.")


class EventSourceEntry(Part):
    """One event source: exactly one of these keys."""

    http: Text | HttpEntry | None = Field(
        default=None, description="A route: `GET /orders/{id}`, or its long form."
    )
    sqs: Text | SqsEntry | None = Field(
        default=None, description="A queue by name, or its long form."
    )


class QueueEntry(Part):
    """An SQS queue; a name that ends in `.fifo` is a FIFO queue."""

    visibility_timeout: Whole = Field(
        default=30, ge=0, le=43_200, description="How long a received message is hidden, in s."
    )
    delay: Whole = Field(default=0, ge=0, le=900, description="Delay of messages, in seconds.")
    message_retention_period: Whole = Field(
        default=345_600, ge=60, le=1_209_600, description="How long messages are kept, in s."
    )
    maximum_message_size: Whole = Field(
        default=1_048_576, ge=1_024, le=1_048_576, description="Size of a message, in bytes."
    )
    receive_message_wait_time: Whole = Field(
        default=0, ge=0, le=20, description="How long a receive waits by default, in seconds."
    )
    content_based_deduplication: bool = Field(
        default=False, description="On FIFO queues: whether equal bodies are duplicates."
    )
    dead_letter: Text | None = Field(
        default=None, description="Queue of `resources` for messages received too often."
    )
    max_receive_count: Whole = Field(
        default=3, ge=1, le=1_000, description="Receives before a message goes there."
    )


class Resources(Part):
    """Things of other services that functions need."""

    queues: dict[str, QueueEntry] = Field(default={}, description="SQS queues by name.")
