"""What a subscriber of SNS or of a bucket's notifications wants to hear of.

Sources of behaviour: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
and https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from lambdash import limits
from lambdash.patterns.document import Members, parse_document
from lambdash.patterns.grammar import EVENT_BRIDGE, OR, Dialect
from lambdash.patterns.pattern import Pattern, compile_pattern, parse_event
from lambdash.patterns.problems import InvalidPattern


@dataclass(frozen=True, slots=True)
class MessageAttribute:
    """A message attribute as it was published: ``String``, ``Number``, ``String.Array``..."""

    data_type: str
    value: str


@dataclass(frozen=True, slots=True)
class AttributePolicy:
    """A filter policy of the scope ``MessageAttributes``."""

    pattern: Pattern

    def matches(self, attributes: Mapping[str, MessageAttribute]) -> bool:
        """Whether a message with these attributes is delivered; binary ones count as absent."""
        values = {name: _value(attribute) for name, attribute in attributes.items()}
        return self.pattern.matches(
            {name: value for name, value in values.items() if value is not _IGNORED}
        )


@dataclass(frozen=True, slots=True)
class BodyPolicy:
    """A filter policy of the scope ``MessageBody``."""

    pattern: Pattern

    def matches(self, body: str) -> bool:
        """Whether a message with this body is delivered: never one that is no JSON object."""
        try:
            parsed = parse_event(body)
        except ValueError:
            return False
        return isinstance(parsed, dict) and self.pattern.matches(parsed)


_IGNORED = object()
_DIALECT = Dialect(EVENT_BRIDGE.operators, max_chars=limits.FILTER_POLICY_MAX_CHARS)


def _value(attribute: MessageAttribute) -> object:
    kind = attribute.data_type.partition(".")[0]
    if attribute.data_type == "String.Array":
        try:
            elements = parse_event(attribute.value)
        except ValueError:
            return _IGNORED
        return elements if isinstance(elements, list) else _IGNORED
    if kind == "Number":
        try:
            return Decimal(attribute.value)
        except InvalidOperation:
            return _IGNORED
    return attribute.value if kind == "String" else _IGNORED


def compile_attribute_policy(text: str) -> AttributePolicy:
    """Compile a ``FilterPolicy`` on attributes. Raises ``InvalidPattern`` with SNS's message."""
    document = _checked(text)
    if any(isinstance(node, Members) for key, node in document.items if key != OR):
        raise InvalidPattern(
            "nested",
            "Invalid parameter: Filter policy scope MessageAttributes does not support nested "
            "filter policy",
        )
    return AttributePolicy(_compiled(text))


def compile_body_policy(text: str) -> BodyPolicy:
    """Compile a ``FilterPolicy`` on the body. Raises ``InvalidPattern`` with SNS's message."""
    _checked(text)
    return BodyPolicy(_compiled(text))


def _checked(text: str) -> Members:
    if len(text) > limits.FILTER_POLICY_MAX_CHARS:
        raise _refused(f"Filter policy is longer than {limits.FILTER_POLICY_MAX_CHARS} characters")
    try:
        document = parse_document(text)
    except InvalidPattern as problem:
        raise _refused("failed to parse JSON.") from problem
    if len(document.items) > limits.FILTER_POLICY_MAX_KEYS:
        raise _refused(f"Filter policy can not have more than {limits.FILTER_POLICY_MAX_KEYS} keys")
    return document


def _compiled(text: str) -> Pattern:
    try:
        pattern = compile_pattern(text, _DIALECT)
    except InvalidPattern as problem:
        raise _refused(problem.reason) from problem
    for rule in pattern.rules:
        combinations = 1
        for _, condition in rule:
            combinations *= len(condition.matchers) + condition.absent
        if combinations > limits.FILTER_POLICY_MAX_COMBINATIONS:
            raise _refused("Filter policy is too complex")
    return pattern


def _refused(reason: str) -> InvalidPattern:
    return InvalidPattern(reason, f"Invalid parameter: FilterPolicy: {reason}")


def object_key_matches(key: str, prefix: str = "", suffix: str = "") -> bool:
    """Whether a bucket's notification with these filter rules is sent for the object ``key``.

    Both rules look at the same key, so that ``aba`` has the prefix ``ab`` and the suffix ``ba``.
    """
    return key.startswith(prefix) and key.endswith(suffix)
