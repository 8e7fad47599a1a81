"""What a function is connected to, from its entry: targets by name become ARNs."""

from lambdash.manifest.connection_grammar import CorsEntry, TargetEntry, UrlEntry
from lambdash.manifest.document import Entry
from lambdash.manifest.event_sources import event_sources_of
from lambdash.manifest.places import Places, queue_arn
from lambdash.manifest.problems import did_you_mean, shown
from lambdash.manifest.sources import Subject
from lambdash.manifest.values import Values
from lambdash.model.connections import Connections, Cors, FunctionUrl


def connections_of(
    subject: Subject, sources: Entry | None, places: Places, values: Values
) -> Connections:
    """All of a function's connections; what is wrong with one is reported."""
    own = subject.own
    destinations = own.destinations
    return Connections(
        url=_url(own.url),
        dead_letter=_target(subject, own.dead_letter, ("dead_letter",), places),
        on_success=_target(
            subject, destinations.on_success, ("destinations", "on_success"), places
        ),
        on_failure=_target(
            subject, destinations.on_failure, ("destinations", "on_failure"), places
        ),
        maximum_retry_attempts=own.maximum_retry_attempts,
        maximum_event_age_s=own.maximum_event_age,
        event_sources=event_sources_of(subject, sources, places, values),
    )


def _url(entry: UrlEntry | None) -> FunctionUrl | None:
    if entry is None:
        return None
    return FunctionUrl(entry.invoke_mode, None if entry.cors is None else _cors(entry.cors))


def _cors(entry: CorsEntry) -> Cors:
    return Cors(
        tuple(entry.allow_origins),
        tuple(entry.allow_methods),
        tuple(entry.allow_headers),
        tuple(entry.expose_headers),
        entry.allow_credentials,
        entry.max_age,
    )


def _target(
    subject: Subject, entry: TargetEntry | None, path: tuple[str, ...], places: Places
) -> str | None:
    """The ARN of exactly one of `queue`, `function` and `arn`."""
    if entry is None:
        return None
    given = [name for name in ("queue", "function", "arn") if getattr(entry, name) is not None]
    if len(given) != 1:
        subject.report(
            "bad-target",
            subject.place(*path),
            f"{shown(path[-1])} names {len(given) or 'no'} targets",
            "write one of `queue: NAME`, `function: NAME` and `arn: ARN`",
        )
        return None
    if entry.queue is not None:
        return queue_arn(subject, entry.queue, subject.place(*path, "queue"), places)
    if entry.function is not None:
        if entry.function not in places.functions:
            subject.report(
                "target-unknown",
                subject.place(*path, "function"),
                f"there is no function {shown(entry.function)}",
                did_you_mean(entry.function, places.functions),
            )
        return places.arn("lambda", entry.function)
    return entry.arn
