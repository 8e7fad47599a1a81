"""What a deploy makes beside the functions: queues."""

import json
import re
from collections.abc import Callable
from collections.abc import Mapping as MappingType
from functools import partial

from lambdash.manifest.connection_grammar import QueueEntry
from lambdash.manifest.document import Mapping, entry_at
from lambdash.manifest.places import Places
from lambdash.manifest.problems import Reporter, did_you_mean, shown
from lambdash.model.connections import QueueResource

_ATTRIBUTES = {
    "visibility_timeout": "VisibilityTimeout",
    "delay": "DelaySeconds",
    "message_retention_period": "MessageRetentionPeriod",
    "maximum_message_size": "MaximumMessageSize",
    "receive_message_wait_time": "ReceiveMessageWaitTimeSeconds",
}
_FIFO = ".fifo"
_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+(\.fifo)?")


def queues_of(places: Places, root: Mapping, reporter: Reporter) -> tuple[QueueResource, ...]:
    """The queues, those that others name as their dead-letter queue first."""
    queues = places.project.resources.queues
    found = []
    for name, entry in queues.items():
        place = entry_at(root, ("resources", "queues", name))
        assert place is not None, "the model was made of these nodes"
        _check(name, entry, queues, partial(reporter.report, position=place.key_position))
        attributes = _attributes(name, entry, places)
        found.append(QueueResource(name, attributes, place.key_position.line))
    targets = {entry.dead_letter for entry in queues.values()}
    return tuple(sorted(found, key=lambda queue: queue.name not in targets))


def _check(
    name: str,
    entry: QueueEntry,
    queues: MappingType[str, QueueEntry],
    report: Callable[..., None],
) -> None:
    fifo = name.endswith(_FIFO)
    if not _NAME.fullmatch(name):
        message = f"{shown(name)} is not a queue's name"
        hint = "1 to 80 letters, digits, `-` and `_`; a FIFO queue's ends in `.fifo`"
        report("bad-queue-name", message=message, hint=hint)
    if entry.content_based_deduplication and not fifo:
        message = f"the queue {shown(name)} is no FIFO queue, and deduplicates nothing"
        report("key-without-use", message=message, hint="end its name in `.fifo`")
    target = entry.dead_letter
    if target is None:
        return
    if target not in queues:
        message = f"there is no queue {shown(target)} in `resources`"
        report("queue-unknown", message=message, hint=did_you_mean(target, queues))
    elif target.endswith(_FIFO) != fifo or target == name:
        message = f"{shown(target)} cannot be the dead-letter queue of {shown(name)}"
        hint = "a dead-letter queue is another queue of the same type"
        report("bad-target", message=message, hint=hint)


def _attributes(name: str, entry: QueueEntry, places: Places) -> tuple[tuple[str, str], ...]:
    given = {
        attribute: str(getattr(entry, key))
        for key, attribute in _ATTRIBUTES.items()
        if key in entry.model_fields_set
    }
    if name.endswith(_FIFO):
        given["FifoQueue"] = "true"
        if entry.content_based_deduplication:
            given["ContentBasedDeduplication"] = "true"
    if entry.dead_letter is not None:
        policy = {
            "deadLetterTargetArn": places.arn("sqs", entry.dead_letter),
            "maxReceiveCount": entry.max_receive_count,
        }
        given["RedrivePolicy"] = json.dumps(policy)
    return tuple(sorted(given.items()))
