import json

import pytest

from lambdash.patterns import (
    InvalidPattern,
    MessageAttribute,
    compile_attribute_policy,
    compile_body_policy,
    object_key_matches,
)

ATTRIBUTES = {
    "store": MessageAttribute("String", "shop"),
    "price": MessageAttribute("Number.double", "99.50"),
    "tags": MessageAttribute("String.Array", '["new", 5, true, null]'),
    "image": MessageAttribute("Binary", "AA=="),
    "wrong": MessageAttribute("String.Array", "["),
    "scalar": MessageAttribute("String.Array", "1"),
    "text": MessageAttribute("Number", "many"),
}


@pytest.mark.parametrize(
    ("policy", "matches"),
    [
        ({"store": ["shop"]}, True),
        ({"store": [{"anything-but": "shop"}]}, False),
        ({"price": [{"numeric": [">=", 99.5]}]}, True),
        ({"price": ["99.50"]}, False),
        ({"tags": ["new"]}, True),
        ({"tags": [5], "store": [{"prefix": "sh"}]}, True),
        ({"tags": ["old"]}, False),
        ({"image": [{"exists": True}]}, False),
        ({"wrong": [{"exists": False}], "scalar": [{"exists": False}]}, True),
        ({"text": [{"exists": False}]}, True),
        ({"$or": [{"store": ["x"]}, {"price": [99.5]}]}, True),
    ],
)
def test_policies_on_attributes(policy: dict, *, matches: bool) -> None:
    assert compile_attribute_policy(json.dumps(policy)).matches(ATTRIBUTES) is matches


@pytest.mark.parametrize(
    ("body", "matches"),
    [
        ('{"order": {"kind": "big"}}', True),
        ('{"order": [{"kind": "big"}]}', True),
        ('{"order": {"kind": "small"}}', False),
        ('["order"]', False),
        ("plain", False),
    ],
)
def test_policies_on_the_body(body: str, *, matches: bool) -> None:
    assert compile_body_policy('{"order": {"kind": ["big"]}}').matches(body) is matches


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("x", "Invalid parameter: FilterPolicy: failed to parse JSON."),
        ("[" * 200_000, "Invalid parameter: FilterPolicy: failed to parse JSON."),
        (
            " " * 300_000,
            "Invalid parameter: FilterPolicy: Filter policy is longer than 262144 characters",
        ),
        ('{"a": "x"}', 'Invalid parameter: FilterPolicy: "a" must be an object or an array'),
        (
            json.dumps({key: [1] for key in "abcdef"}),
            "Invalid parameter: FilterPolicy: Filter policy can not have more than 5 keys",
        ),
        (
            json.dumps({key: list(range(6)) for key in "abc"}),
            "Invalid parameter: FilterPolicy: Filter policy is too complex",
        ),
        (
            '{"a": {"b": [1]}}',
            "Invalid parameter: Filter policy scope MessageAttributes does not support nested "
            "filter policy",
        ),
    ],
)
def test_what_sns_refuses(policy: str, told: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        compile_attribute_policy(policy)
    assert caught.value.message == told


@pytest.mark.parametrize(
    ("key", "matches"),
    [("in/a.csv", True), ("in/a.txt", False), ("out/a.csv", False), ("in/.csv", True)],
)
def test_object_keys(key: str, *, matches: bool) -> None:
    assert object_key_matches(key, prefix="in/", suffix=".csv") is matches
    assert object_key_matches(key)
