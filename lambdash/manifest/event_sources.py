"""The event sources of a function: a list of single-key maps, each in a short or a long form."""

import json
import re
from typing import Any

from lambdash.manifest import later
from lambdash.manifest.connection_grammar import HttpEntry, SqsEntry
from lambdash.manifest.diagnosis import validated
from lambdash.manifest.document import Entry, Mapping, Node, Scalar, Sequence
from lambdash.manifest.places import Places, queue_arn
from lambdash.manifest.problems import did_you_mean, shown
from lambdash.manifest.sources import Subject
from lambdash.manifest.values import Values
from lambdash.model.connections import EventSource, HttpSource, SqsSource
from lambdash.patterns import InvalidPattern, compile_filter_criteria

_ROUTE = re.compile(r"(?P<method>[A-Z]+) +(?P<path>/\S*)|(?P<default>\$default)")
_SEGMENT = re.compile(r"[^{}]+|\{[A-Za-z0-9_-]+\+?\}")
METHODS = ("ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def event_sources_of(
    subject: Subject, entry: Entry | None, places: Places, values: Values
) -> tuple[EventSource, ...]:
    """What brings events to the function; what is wrong with one is reported."""
    if entry is None:
        return ()
    if not isinstance(entry.node, Sequence):
        subject.report(
            "wrong-type",
            entry.node.position,
            "`event_sources` must be a list",
            "write `- sqs: NAME` or `- http: GET /path`, one a line",
        )
        return ()
    reading = _Reading(subject, places, values)
    found = [reading.source(index, item) for index, item in enumerate(entry.node.items)]
    return tuple(source for source in found if source is not None)


class _Reading:
    """Reads the items of one function."""

    def __init__(self, subject: Subject, places: Places, values: Values) -> None:
        self._subject = subject
        self._places = places
        self._values = values

    def source(self, index: int, item: Node) -> EventSource | None:
        kinds = item.entries if isinstance(item, Mapping) else {}
        if len(kinds) != 1:
            self._subject.report(
                "wrong-type",
                item.position,
                "an event source is a mapping of one kind",
                "write `- sqs: NAME` or `- http: GET /path`",
            )
            return None
        ((kind, entry),) = kinds.items()
        path = ("functions", self._subject.name, "event_sources", index, kind)
        if kind == "http":
            return self._http(entry, path)
        if kind == "sqs":
            return self._sqs(entry, path)
        self._refuse(kind, entry)
        return None

    def _refuse(self, kind: str, entry: Entry) -> None:
        if kind in later.EVENT_SOURCES:
            self._subject.report(
                "not-supported-yet",
                entry.key_position,
                f"the event source {shown(kind)} ({later.EVENT_SOURCES[kind]}) "
                "is not supported yet",
            )
            return
        self._subject.report(
            "unknown-event-source",
            entry.key_position,
            f"unknown event source {shown(kind)}",
            did_you_mean(kind, ("http", "sqs", *later.EVENT_SOURCES)),
        )

    def _http(self, entry: Entry, path: tuple[str | int, ...]) -> HttpSource | None:
        if isinstance(entry.node, Scalar):
            text = str(self._values.entry(entry, path) or "")
            return self._route(entry, text, "2.0")
        if not isinstance(entry.node, Mapping):
            self._neither(entry, "GET /path")
            return None
        long = validated(HttpEntry, entry.node, path, self._values)
        if long.path is None:
            self._missing(entry, "path")
            return None
        text = long.path if long.path == "$default" else f"{long.method} {long.path}"
        return self._route(entry, text, long.payload_format_version)

    def _route(self, entry: Entry, text: str, version: str) -> HttpSource | None:
        matched = _ROUTE.fullmatch(text.strip())
        if matched is None or (matched["method"] or "ANY") not in METHODS:
            self._subject.report(
                "bad-route",
                entry.node.position,
                f"{shown(text)} is no route",
                "write `GET /orders/{id}`, `ANY /{proxy+}` or `$default`",
            )
            return None
        if matched["default"]:
            return HttpSource("ANY", "$default", version)
        segments = matched["path"].split("/")[1:]
        greedy = [segment for segment in segments if segment.endswith("+}")]
        if not all(_SEGMENT.fullmatch(segment) for segment in segments if segment) or (
            greedy and greedy != segments[-1:]
        ):
            self._subject.report(
                "bad-route",
                entry.node.position,
                f"the path {shown(matched['path'])} is no route's",
                "a variable is a whole segment, and `{name+}` the last one",
            )
            return None
        return HttpSource(matched["method"], matched["path"], version)

    def _sqs(self, entry: Entry, path: tuple[str | int, ...]) -> SqsSource | None:
        if isinstance(entry.node, Scalar):
            name = str(self._values.entry(entry, path) or "")
            return SqsSource(queue_arn(self._subject, name, entry.node.position, self._places))
        if not isinstance(entry.node, Mapping):
            self._neither(entry, "NAME")
            return None
        long = validated(SqsEntry, entry.node, path, self._values)
        if long.queue is None:
            self._missing(entry, "queue")
            return None
        arn = queue_arn(self._subject, long.queue, entry.node.position, self._places)
        self._check_sqs(entry, arn, long)
        return SqsSource(
            queue_arn=arn,
            batch_size=long.batch_size,
            window_s=long.maximum_batching_window,
            maximum_concurrency=long.maximum_concurrency,
            reports_failures="ReportBatchItemFailures" in long.function_response_types,
            filters=self._filters(entry, long.filters, "body"),
            enabled=long.enabled,
        )

    def _check_sqs(self, entry: Entry, arn: str, long: SqsEntry) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
        fifo = arn.endswith(".fifo")
        if fifo and (long.batch_size > 10 or long.maximum_batching_window):
            self._subject.report(
                "bad-batch",
                entry.key_position,
                "a FIFO queue has batches of at most 10 and no batching window",
                "remove `maximum_batching_window`, or make `batch_size` at most 10",
            )
        elif long.batch_size > 10 and long.maximum_batching_window < 1:
            self._subject.report(
                "bad-batch",
                entry.key_position,
                "a batch of more than 10 messages needs a batching window",
                "add `maximum_batching_window: 1`",
            )

    def _filters(self, entry: Entry, filters: list[Any], data: str) -> tuple[str, ...]:
        texts = tuple(json.dumps(pattern) for pattern in filters)
        try:
            compile_filter_criteria(texts, data)
        except InvalidPattern as problem:
            self._subject.report(
                "bad-filter", entry.key_position, f"a filter is not valid: {problem.reason}"
            )
        return texts

    def _missing(self, entry: Entry, name: str) -> None:
        if isinstance(entry.node, Mapping) and name not in entry.node.entries:
            message = f"the event source has no `{name}`"
            self._subject.report("missing-key", entry.key_position, message)

    def _neither(self, entry: Entry, short: str) -> None:
        self._subject.report(
            "wrong-type",
            entry.node.position,
            "an event source is text or a mapping",
            f"write `{short}`, or its long form",
        )
