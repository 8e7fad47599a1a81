"""Filter criteria of event source mappings: up to five patterns, of which a record matches one.

Source of behaviour: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.
The operators are those of its table; EventBridge's others are refused there and here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambdash import limits
from lambdash.patterns.grammar import Dialect
from lambdash.patterns.pattern import Pattern, compile_pattern, parse_event
from lambdash.patterns.problems import InvalidPattern

_DIALECT = Dialect(
    frozenset({"prefix", "suffix", "equals-ignore-case", "anything-but", "exists", "numeric"}),
    nested=False,
)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A pattern, and what it expects of the data: JSON, a plain string, or nothing (None)."""

    pattern: Pattern
    wants_json: bool | None


@dataclass(frozen=True, slots=True)
class FilterCriteria:
    """What ``compile_filter_criteria`` makes; without filters every record matches."""

    filters: tuple[_Filter, ...]
    data_property: str | None

    def matches(self, record: Mapping[str, object]) -> bool:
        """Whether the record goes to the function.

        The data property holds the data as it was sent (base64 undone): text, or bytes, which match
        no filter on the data unless they are UTF-8.
        """
        if not self.filters:
            return True
        prepared, is_json = self._prepared(record)
        return any(
            each.wants_json in (None, is_json) and each.pattern.matches(prepared)
            for each in self.filters
        )

    def _prepared(self, record: Mapping[str, object]) -> tuple[Mapping[str, object], bool | None]:
        """The record with its data parsed, and whether that is JSON (None: not text at all)."""
        if self.data_property is None:
            return record, None
        data = record.get(self.data_property)
        if isinstance(data, bytes):
            try:
                data = data.decode()
            except UnicodeDecodeError:
                return {**record, self.data_property: {}}, None
        if not isinstance(data, str):
            return record, None
        try:
            parsed = parse_event(data)
        except ValueError:
            return {**record, self.data_property: data}, False
        if isinstance(parsed, dict | list):
            return {**record, self.data_property: parsed}, True
        return {**record, self.data_property: data}, False


def compile_filter_criteria(
    patterns: Sequence[str | Mapping[str, object]], data_property: str | None
) -> FilterCriteria:
    """Compile ``FilterCriteria.Filters[].Pattern``.

    ``data_property`` is the key whose value the sender wrote: ``body`` (SQS), ``data`` (Kinesis,
    MQ), ``value`` (Kafka), or None (DynamoDB). Raises ``InvalidPattern`` with Lambda's message.
    """
    if len(patterns) > limits.FILTERS_PER_MAPPING_MAX:
        raise InvalidPattern(
            "too many filters",
            f"You have {len(patterns)} filters, the maximum is {limits.FILTERS_PER_MAPPING_MAX}.",
        )
    return FilterCriteria(
        tuple(_compile_filter(pattern, data_property) for pattern in patterns), data_property
    )


def _compile_filter(text: str | Mapping[str, object], data_property: str | None) -> _Filter:
    try:
        _require_whole_json(text)
        pattern = compile_pattern(text, _DIALECT)
    except InvalidPattern as problem:
        raise InvalidPattern(problem.reason, "Invalid filter pattern definition.") from problem
    if data_property is None:
        return _Filter(pattern, None)
    if data_property in pattern.names:
        return _Filter(pattern, wants_json=False)
    return _Filter(pattern, True if f"{data_property}." in pattern.names else None)


def _require_whole_json(text: str | Mapping[str, object]) -> None:
    """Lambda reads the text as one JSON document; EventBridge stops at the closing brace."""
    try:
        if isinstance(text, str):
            json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidPattern(f"Filter is not valid JSON: {error}") from None
