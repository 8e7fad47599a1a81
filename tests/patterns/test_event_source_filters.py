import pytest

from lambdash.patterns import InvalidPattern, compile_filter_criteria


@pytest.mark.parametrize(
    ("pattern", "body", "matches"),
    [
        ('{"body": {"kind": ["order"]}}', '{"kind": "order"}', True),
        ('{"body": {"kind": ["order"]}}', '{"kind": "offer"}', False),
        ('{"body": {"kind": ["order"]}}', '[{"kind": "order"}]', True),
        ('{"body": {"kind": ["order"]}}', "order", False),
        # data that is not JSON never meets a pattern on JSON, whatever it says
        ('{"body": {"kind": [{"exists": false}]}}', "plain", False),
        ('{"body": {"kind": [{"exists": false}]}}', "{}", True),
        ('{"body": ["plain"]}', "plain", True),
        ('{"body": ["42"]}', "42", True),
        ('{"body": [{"exists": false}]}', '{"kind": 1}', False),
        ('{"messageId": ["1"]}', "plain", True),
        ('{"messageId": ["1"]}', '{"kind": 1}', True),
        ('{"messageId": ["2"]}', "plain", False),
        ('{"body": {"n": [{"numeric": [">", 1]}]}}', b'{"n": 2}', True),
        ('{"body": {"n": [{"numeric": [">", 1]}]}}', b"\xff", False),
        ('{"messageId": ["1"]}', b"\xff", True),
        ('{"body": {"n": [1]}}', None, False),
        ('{"messageId": ["1"]}', None, True),
    ],
)
def test_bodies(pattern: str, body: object, *, matches: bool) -> None:
    criteria = compile_filter_criteria([pattern], "body")
    assert criteria.matches({"messageId": "1", "body": body}) is matches


def test_filters_are_alternatives_and_none_is_no_filter() -> None:
    record = {"dynamodb": {"NewImage": {"kind": {"S": "order"}}}, "eventName": "INSERT"}
    either = compile_filter_criteria([{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}], None)
    assert either.matches(record)
    assert not compile_filter_criteria([{"eventName": ["REMOVE"]}], None).matches(record)
    assert compile_filter_criteria([], "body").matches(record)


@pytest.mark.parametrize(
    "pattern",
    [
        "x",
        "[]",
        "{}",
        '{"body": "x"}',
        '{"body": [1]} more',
        '{"body": [{"wildcard": "a*"}]}',
        '{"body": [{"cidr": "10.0.0.0/8"}]}',
        '{"body": [{"anything-but": {"prefix": "a"}}]}',
        '{"body": [{"prefix": {"equals-ignore-case": "a"}}]}',
        '{"body":' * 100_000,
    ],
)
def test_what_lambda_refuses(pattern: str) -> None:
    with pytest.raises(InvalidPattern, match=r"^Invalid filter pattern definition\.$"):
        compile_filter_criteria([pattern], "body")


def test_five_filters_are_the_most() -> None:
    filters = [{"a": [index]} for index in range(6)]
    assert compile_filter_criteria(filters[:5], None).matches({"a": 4})
    with pytest.raises(InvalidPattern, match="the maximum is 5"):
        compile_filter_criteria(filters, None)
