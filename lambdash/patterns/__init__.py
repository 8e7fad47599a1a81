"""Event patterns: EventBridge's, those of event source mappings, SNS's filter policies, S3's rules.

All of them are compiled once and match many times. Pure: text and values in, booleans out.
"""

from lambdash.patterns.event_source_filters import FilterCriteria, compile_filter_criteria
from lambdash.patterns.notification_filters import (
    AttributePolicy,
    BodyPolicy,
    MessageAttribute,
    compile_attribute_policy,
    compile_body_policy,
    object_key_matches,
)
from lambdash.patterns.pattern import Pattern, compile_pattern, parse_event
from lambdash.patterns.problems import InvalidPattern

__all__ = [
    "AttributePolicy",
    "BodyPolicy",
    "FilterCriteria",
    "InvalidPattern",
    "MessageAttribute",
    "Pattern",
    "compile_attribute_policy",
    "compile_body_policy",
    "compile_filter_criteria",
    "compile_pattern",
    "object_key_matches",
    "parse_event",
]
