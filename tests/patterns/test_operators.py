import pytest

from lambdash.patterns import Pattern, compile_pattern, parse_event


def pattern(*values: object) -> Pattern:
    return compile_pattern({"a": list(values)})


@pytest.mark.parametrize(
    ("values", "matching", "others"),
    [
        (["x", ""], ["x", ""], ["X", "xy", None, 1]),
        ([None], [None], ["", "null", False, 0]),
        ([True], [True], [1, "true", False]),
        ([False], [False], [0, "", None]),
        ([1], [1, 1.0], [True, "1", 2]),
        ([{"exactly": "10.0.0.1"}], ["10.0.0.1"], ["010.0.0.1"]),
        (["10.0.0.1"], ["10.0.0.1", "010.0.0.1"], ["10.0.0.2", "10.0.0.11", "::1"]),
        (["::1"], ["::1", "0:0:0:0:0:0:0:1"], ["::2", "0.0.0.1"]),
        (["::ffff:102:304"], ["1.2.3.4"], ["1.2.3.5"]),
        (["1.2.3.400", ":", "0000001.1.1.1111"], ["1.2.3.400", ":"], ["1.2.3.4"]),
        ([{"prefix": "ab"}], ["ab", "abc"], ["a", "AB", "xab", 1]),
        ([{"prefix": {"equals-ignore-case": "aB"}}], ["ab", "ABc"], ["a", "xab", None]),
        ([{"suffix": "yz"}], ["yz", "xyz"], ["z", "YZ", "yza", 1]),
        ([{"suffix": {"equals-ignore-case": "yZ"}}], ["yz", "xYZ"], ["z", "yza", True]),
        ([{"equals-ignore-case": "aé"}], ["Aé", "aÉ"], ["aé ", "ae", "a", 1]),
        ([{"equals-ignore-case": "ß"}], ["ß", "SS"], ["ss"]),
        ([{"suffix": {"equals-ignore-case": "ß"}}], ["xß", "xSS"], ["xss"]),
        ([{"equals-ignore-case": "\U00010428"}], ["\U00010428"], ["\U00010400"]),
        ([{"exists": True}], [None, "", 0, False], []),
        ([{"numeric": ["=", 3.018e2]}], [301.8], [301, "301.8", True]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5, 0.1], [0, 5.1, "1", None]),
        ([{"numeric": [">=", 0, "<", 5]}], [0, 4.9], [-0.1, 5]),
        ([{"numeric": ["<", 5]}], [-1e300, 4], [5, 10**400, 2**53 + 1]),
        ([{"numeric": ["<=", 5]}], [5], [6]),
        ([{"numeric": [">", 5]}], [6, 1e300], [5]),
        ([{"numeric": [">=", 5]}], [5], [4]),
        ([{"cidr": "10.0.0.0/24"}], ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "x", 1, "a00::"]),
        ([{"cidr": "10.1.2.3/8"}], ["10.0.0.0", "10.255.255.255"], ["11.0.0.0"]),
        ([{"cidr": "0.0.0.0/0"}], ["1.2.3.4"], ["::1"]),
        ([{"cidr": "fe80::/+10"}], ["fe80::1", "febf::"], ["fec0::"]),
        ([{"anything-but": "x"}], ["y", 1, None, True], ["x"]),
        ([{"anything-but": ["x", "y"]}], ["z"], ["x", "y"]),
        ([{"anything-but": 1}], [2, "1", True], [1, 1.0]),
        ([{"anything-but": [1, 2.5]}], [2, None], [1, 2.5]),
        ([{"anything-but": {"prefix": "x"}}], ["y", 1], ["x", "xy"]),
        ([{"anything-but": {"prefix": ["x", "y"]}}], ["z"], ["xa", "ya"]),
        ([{"anything-but": {"suffix": "x"}}], ["xy"], ["x", "yx"]),
        ([{"anything-but": {"suffix": ["x", "y"]}}], ["z"], ["ax", "ay"]),
        ([{"anything-but": {"equals-ignore-case": "x"}}], ["y", "xx"], ["x", "X"]),
        ([{"anything-but": {"equals-ignore-case": ["x", ""]}}], ["y"], ["X", ""]),
        ([{"anything-but": {"wildcard": "*x*"}}], ["y"], ["x", "axb"]),
        ([{"anything-but": {"wildcard": ["a*", ""]}}], ["y"], ["a", ""]),
        (["x", {"prefix": "y"}, {"numeric": ["=", 1]}], ["x", "ya", 1], ["z", 2]),
    ],
)
def test_an_operator_matches_these_and_not_those(
    values: list[object], matching: list[object], others: list[object]
) -> None:
    compiled = pattern(*values)
    assert [leaf for leaf in matching if not compiled.matches({"a": leaf})] == []
    assert [leaf for leaf in others if compiled.matches({"a": leaf})] == []


@pytest.mark.parametrize(
    ("wildcard", "matching", "others"),
    [
        ("", [""], ["x"]),
        ("*", ["", "x", "xyz"], []),
        ("a*", ["a", "ab"], ["", "ba"]),
        ("*a", ["a", "ba"], ["ab"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("a*b*c", ["abc", "axbxc", "abbc", "abcbc"], ["ac", "acb", "abcx", "acbc x"]),
        ("*ab*ab*", ["abab", "xabyabz"], ["ab", "aba"]),
        ("a*bc*cd", ["abccd"], ["abcd"]),
        (r"a\*b", ["a*b"], ["axb", r"a\*b"]),
        (r"a\\*", ["a\\", "a\\x"], ["a"]),
    ],
)
def test_wildcards(wildcard: str, matching: list[str], others: list[str]) -> None:
    compiled = pattern({"wildcard": wildcard})
    assert [text for text in matching if not compiled.matches({"a": text})] == []
    assert [text for text in others if compiled.matches({"a": text})] == []
    assert not compiled.matches({"a": 1})


def test_a_wildcard_is_linear_in_the_text() -> None:
    compiled = pattern({"wildcard": "*a" * 1_000 + "*b"})
    assert not compiled.matches({"a": "a" * 100_000})


@pytest.mark.parametrize(
    ("in_pattern", "in_event", "equal"),
    [
        ("300", "3.0e2", True),
        ("0.1", "1e-1", True),
        ("-0", "0.0", True),
        ("12345678901234567890", "12345678901234567890", True),
        ("12345678901234567890", "12345678901234567891", False),
        ("9007199254740993", "9007199254740992", False),
        ("9007199254740994", "9007199254740994.0", True),
        ("1e400", "1e400", True),
        ("1e400", "1e401", False),
        ("123456789012", "123456789012", True),
        ("0.1000000000000000055", "0.1", False),
    ],
)
def test_numbers_are_equal_as_doubles_or_else_digit_by_digit(
    in_pattern: str, in_event: str, *, equal: bool
) -> None:
    compiled = compile_pattern(f'{{"a": [{in_pattern}]}}')
    assert compiled.matches(parse_event(f'{{"a": {in_event}}}')) is equal
