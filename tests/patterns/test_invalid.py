import json

import pytest

from lambdash.patterns import InvalidPattern, compile_pattern, parse_event


def reason(pattern: object) -> str:
    with pytest.raises(InvalidPattern) as caught:
        compile_pattern(pattern if isinstance(pattern, str) else json.dumps(pattern))
    assert caught.value.message == f"Event pattern is not valid. Reason: {caught.value.reason}"
    return caught.value.reason


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ([1], "Filter is not an object"),
        ({}, "Empty objects are not allowed"),
        ({"a": {}}, "Empty objects are not allowed"),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": "x"}, '"a" must be an object or an array'),
        ({"a": None}, '"a" must be an object or an array'),
        ({"a": [[1]]}, "Match value must be String, number, true, false, or null"),
        ({"$or": {"a": [1]}}, "It must be an Array followed with $or."),
        ({"$or": [{"a": [1]}]}, "There must have at least 2 Objects in $or relationship."),
        ({"$or": [1, 2]}, "Only JSON object is allowed in array of $or relationship."),
        ({"$or": [{"a": [1]}, {"b": 1}]}, '"b" must be an object or an array'),
        (
            {"$or": [{"a": [1]}, {"b": {"prefix": ["x"]}}]},
            "prefix is Ruler reserved fieldName which cannot be used inside $or.",
        ),
    ],
)
def test_a_pattern_of_the_wrong_shape(pattern: object, told: str) -> None:
    assert reason(pattern) == told


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ({}, "Match expression name not found"),
        ({"x": 2}, "Unrecognized match type x"),
        ({"prefix": "x", "y": 1}, "Only one key allowed in match expression"),
        ({"exactly": 33}, "exact match pattern must be a string"),
        ({"prefix": 3}, "prefix match pattern must be a string"),
        ({"prefix": {}}, "Prefix expression name not found"),
        ({"prefix": {"x": "y"}}, "Unsupported prefix pattern: x"),
        ({"suffix": {"x": "y"}}, "Unsupported suffix pattern: x"),
        (
            {"suffix": {"equals-ignore-case": 5}},
            "equals-ignore-case match pattern must be a string",
        ),
        (
            {"prefix": {"equals-ignore-case": "x", "y": 1}},
            "Only one key allowed in match expression",
        ),
        ({"suffix": []}, "suffix match pattern must be a string"),
        ({"equals-ignore-case": ["x"]}, "equals-ignore-case match pattern must be a string"),
        ({"wildcard": 5}, "wildcard match pattern must be a string"),
        ({"wildcard": "é**"}, "Consecutive wildcard characters at pos 3"),
        ({"wildcard": "a\\b"}, "Invalid escape character at pos 2"),
        ({"wildcard": "a\\"}, "Invalid escape character at pos 2"),
        ({"exists": "true"}, "exists match pattern must be either true or false."),
        ({"exists": 1}, "exists match pattern must be either true or false."),
        ({"cidr": 1}, "prefix match pattern must be a string"),
        ({"cidr": "10.0.0.0"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "10.0.0.0/"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "10.0.0.0/8/8"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "10.0.0.0/x"}, "Malformed CIDR, mask bits must be an integer"),
        ({"cidr": "10.0.0.0/+-8"}, "Malformed CIDR, mask bits must be an integer"),
        ({"cidr": "10.0.0.0/-8"}, "Malformed CIDR, mask bits must not be negative"),
        ({"cidr": "foo/8"}, "Nonstandard IP address: foo"),
        ({"cidr": "10.0.0.0/32"}, "IPv4 mask bits must be < 32"),
        ({"cidr": "::/128"}, "IPv6 mask bits must be < 128"),
        (
            {"anything-but": None},
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            {"anything-but": True},
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            {"anything-but": [None]},
            "Inside anything but list, start|null|boolean is not supported.",
        ),
        ({"anything-but": [{}]}, "Inside anything but list, start|null|boolean is not supported."),
        (
            {"anything-but": []},
            "Inside anything but list, either all values are number or string, "
            "mixed type is not supported",
        ),
        (
            {"anything-but": [1, "x"]},
            "Inside anything but list, either all values are number or string, "
            "mixed type is not supported",
        ),
        ({"anything-but": {}}, "Anything-But expression name not found"),
        ({"anything-but": {"x": 3}}, "Unsupported anything-but pattern: x"),
        (
            {"anything-but": {"prefix": {}}},
            "Value of anything-but must be an array or single string/number value.",
        ),
        ({"anything-but": {"prefix": 27}}, "prefix/suffix match pattern must be a string"),
        ({"anything-but": {"suffix": ""}}, "Null prefix/suffix not allowed"),
        ({"anything-but": {"prefix": "x", "y": 1}}, "Too many elements in numeric expression"),
        ({"anything-but": {"wildcard": [1]}}, "wildcard match pattern must be a string"),
        (
            {"anything-but": {"equals-ignore-case": [1]}},
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
            "supported.",
        ),
        ({"numeric": "x"}, "Value of numeric must be an array."),
        ({"numeric": []}, "Invalid member in numeric match: null"),
        ({"numeric": [{}]}, "Invalid member in numeric match: {"),
        ({"numeric": [[]]}, "Invalid member in numeric match: ["),
        ({"numeric": [True]}, "Invalid member in numeric match: true"),
        ({"numeric": ["=="]}, "Unrecognized numeric range operator: =="),
        ({"numeric": ["="]}, "Value of equals must be numeric"),
        ({"numeric": [">", "0"]}, "Value of > must be numeric"),
        ({"numeric": ["<", True]}, "Value of < must be numeric"),
        ({"numeric": ["<=", []]}, "Value of <= must be numeric"),
        ({"numeric": ["=", 1, 2]}, "Too many elements in numeric expression"),
        ({"numeric": [">", 1, 2]}, "Bad value in numeric range: 2"),
        ({"numeric": [">", 1, ">"]}, "Bad numeric range operator: >"),
        ({"numeric": [">", 1, "<"]}, "Value of < must be numeric"),
        ({"numeric": [">", 1, "<", 3, 4]}, "Too many terms in numeric range expression"),
        ({"numeric": [">", 1, "<", 1]}, "Bottom must be less than top"),
    ],
)
def test_a_match_expression_that_aws_refuses(expression: object, told: str) -> None:
    assert reason({"a": [expression]}) == told


@pytest.mark.parametrize("number", ["2.0e422", "1E309", "1E-325", "12345678901234567890"])
def test_numbers_that_no_double_holds_are_no_bounds(number: str) -> None:
    assert reason(f'{{"a": [{{"numeric": ["=", {number}]}}]}}').startswith("Cannot compare number")


def test_text_that_is_not_json() -> None:
    for text in ("", "{", '{"a": [NaN]}', '{"a": [1 2]}'):
        assert reason(text).startswith("Filter is not valid JSON")


def test_what_follows_the_object_is_not_looked_at() -> None:
    assert compile_pattern(' {"a": [1]} and more').matches({"a": 1})


def test_a_field_named_twice_counts_as_written_last() -> None:
    pattern = compile_pattern('{"a": {"b": [1]}, "a": {"c": [2]}, "d": [1], "d": [2]}')
    assert pattern.matches({"a": {"b": 1, "c": 2}, "d": 2})
    assert not pattern.matches({"a": {"c": 2}, "d": 2})


def test_patterns_are_bounded() -> None:
    assert "longer than 4096 characters" in reason({"a": ["x" * 5_000]})
    assert reason('{"a":' * 110 + "[1]" + "}" * 110) == "Filter is nested too deeply"
    choice = [{"a": [1]}, {"b": [1]}, {"c": [1]}, {"d": [1]}, {"e": [1]}]
    many = {f"n{index}": {"$or": choice} for index in range(6)}
    assert reason(many) == "Rule is too complex - try using fewer rules within $or"


def test_events_that_are_no_json_are_the_callers_to_handle() -> None:
    for text in ("{", b"\xff", "[" * 200_000):
        with pytest.raises(ValueError):
            parse_event(text)
