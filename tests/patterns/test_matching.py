"""Fields, arrays and alternatives: what one event and one pattern have to do with one another."""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash.patterns import compile_pattern
from lambdash.patterns.grammar import Condition
from lambdash.patterns.pattern import Pattern


@pytest.mark.parametrize(
    ("pattern", "event", "matches"),
    [
        ({"a": {"b": [1]}}, {"a": {"b": 1}}, True),
        ({"a": {"b": [1]}}, {"a.b": 1}, True),
        ({"a.b": [1]}, {"a": {"b": 1}}, True),
        ({"a": {"b": [1]}}, {"a": 1, "b": 1}, False),
        ({"a": [1], "b": [2]}, {"a": 1}, False),
        ({"a": ["x"]}, {"a": ["y", "x"]}, True),
        ({"a": ["x"]}, {"a": [["y"], ["x"]]}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": [{"exists": True}]}, {"a": []}, False),
        ({"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
        ({"a": [{"exists": False}, "x"]}, {"a": "x"}, True),
        ({"a": [{"exists": False}, "x"]}, {}, True),
        ({"a": [{"exists": False}, "x"]}, {"a": "y"}, False),
        ({"d": {"a": [1], "b": [2]}}, {"d": [{"a": 1}, {"b": 2}]}, False),
        ({"d": {"a": [1], "b": [2]}}, {"d": [{"a": 0}, {"a": 1, "b": 2}]}, True),
        ({"d": {"a": [1], "b": [2]}}, {"d": [[{"a": 1}], [{"b": 2}]]}, False),
        ({"d": {"a": [1], "b": [{"exists": False}]}}, {"d": [{"a": 1}, {"b": 2}]}, True),
        ({"d": {"a": [1], "b": [{"exists": False}]}}, {"d": [{"a": 1, "b": 2}]}, False),
        # names are decided in order: nothing has chosen an element when `a` is asked for
        ({"d": {"a": [{"exists": False}], "b": [1]}}, {"d": [{"b": 1}, {"a": 2}]}, False),
        ({"a": {"x": [1]}, "b": {"y": [2]}}, {"a": [{"x": 0}, {"x": 1}], "b": [{"y": 2}]}, True),
        ({"d": {"e": {"a": [1]}, "f": [2]}}, {"d": [{"e": [{"a": 1}], "f": 2}]}, True),
        ({"d": {"e": {"a": [1]}, "f": [2]}}, {"d": [{"e": [{"a": 1}]}, {"f": 2}]}, False),
        ({"d": {"a": [1], "b": [2]}}, {"d": [{"a": 1}], "d.b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 1}, False),
        ({"s": [0], "$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1}, False),
        (
            {"d": {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}, "s": [0]},
            {"s": 0, "d": {"b": {"c": 2}}},
            True,
        ),
        (
            {"$or": [{"a": [1], "$or": [{"b": [2]}, {"c": [3]}]}, {"d": [4]}]},
            {"a": 1, "c": 3},
            True,
        ),
        (
            {"$or": [{"a": [1], "$or": [{"b": [2]}, {"c": [3]}]}, {"d": [4]}]},
            {"a": 1, "d": 0},
            False,
        ),
        ({"a": ("x",)}, {"a": ("x",)}, True),
    ],
)
def test_what_matches(pattern: dict, event: dict, *, matches: bool) -> None:
    assert compile_pattern(pattern).matches(event) is matches


def test_many_elements_take_no_product_of_time() -> None:
    elements = [{"a": 1, "b": 1, "c": 0} for _ in range(3_000)]
    pattern = {"d": {"a": [1], "b": [1], "c": [1]}, "e": {"a": [1], "b": [1], "c": [1]}}
    assert not compile_pattern(pattern).matches({"d": elements, "e": elements})
    assert compile_pattern({"d": {"a": [1], "c": [0]}}).matches({"d": elements})


def test_events_may_be_nested_deeply() -> None:
    event: object = "x"
    for _ in range(5_000):
        event = [event]
    assert compile_pattern({"a": ["x"]}).matches({"a": event})


# -- the slow reference: every choice of one field after the other ------------------------------


def _leaves(value: object, path: tuple[str, ...], at: tuple) -> Iterator[tuple[str, object, dict]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, (*path, key), at)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            inside = isinstance(element, dict | list)
            yield from _leaves(element, path, (*at, (id(value), index)) if inside else at)
    else:
        yield ".".join(path), value, dict(at)


def _agree(one: dict, other: dict) -> bool:
    return all(other.get(array, index) == index for array, index in one.items())


def _slowly(pattern: Pattern, event: dict) -> bool:
    leaves = list(_leaves(event, (), ()))

    def follow(rule: tuple[tuple[str, Condition], ...], chosen: dict) -> bool:
        if not rule:
            return True
        (name, condition), *rest = rule
        near = [
            (leaf, at) for at_name, leaf, at in leaves if at_name == name and _agree(at, chosen)
        ]
        if condition.absent and not near and follow(tuple(rest), chosen):
            return True
        return any(
            follow(tuple(rest), {**chosen, **at})
            for leaf, at in near
            if any(matcher.matches(leaf) for matcher in condition.matchers)
        )

    return any(follow(rule, {}) for rule in pattern.rules)


_names = st.sampled_from(["a", "b", "c"])
_values = st.sampled_from([0, 1, True, None, "x"])
_events = st.recursive(
    _values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=14,
)
_tests = st.sampled_from(
    [[0], [1, "x"], [{"exists": True}], [{"exists": False}], [{"anything-but": 1}]]
)
_patterns = st.recursive(
    st.dictionaries(_names, _tests, min_size=1, max_size=3),
    lambda inner: (
        st.dictionaries(_names, inner | _tests, min_size=1, max_size=3)
        | st.fixed_dictionaries({"$or": st.lists(inner, min_size=2, max_size=2)})
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(pattern=_patterns, event=st.dictionaries(_names, _events, max_size=3))
def test_matching_agrees_with_the_slow_reference(pattern: dict, event: dict) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.matches(event) is _slowly(compiled, event)


def test_the_reference_tells_both_answers() -> None:
    compiled = compile_pattern({"d": {"a": [1], "b": [2]}})
    answers = {
        _slowly(compiled, {"d": [{"a": one, "b": two}]}) for one, two in product((1, 2), (1, 2))
    }
    assert answers == {True, False}
