"""Terms, as https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.emulator.log_pattern import parse_pattern
from lambdash.errors import CallerError

LINES = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    '[WARN] said "no"',
    "[INFO] fine",
]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 1, 2]),
        ("error", []),
        ("ERROR ARGUMENTS", [2]),
        ('"BAD REQUEST"', [0]),
        ('"REQUEST BAD"', []),
        ("?ERROR ?WARN", [0, 1, 2, 3]),
        ("ERROR -400", [1, 2]),
        ('-"BAD REQUEST" ERROR', [1, 2]),
        ("  ERROR   ?401   ?419 ", [1, 2]),
        (r'"\"no\""', [3]),
    ],
)
def test_terms(pattern: str, found: list[int]) -> None:
    keeps = parse_pattern(pattern)
    assert [number for number, line in enumerate(LINES) if keeps(line)] == found


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ('{ $.level = "ERROR" }', "log-filter-unsupported"),
        ("[ip, user]", "log-filter-unsupported"),
        ("%\\d+%", "log-filter-unsupported"),
        ("-%\\d+%", "log-filter-unsupported"),
        ('"open', "log-filter-invalid"),
        ('"a"b', "log-filter-invalid"),
        ("x" * 1025, "log-filter-invalid"),
    ],
)
def test_what_is_no_term(pattern: str, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        parse_pattern(pattern)
    assert caught.value.code == code


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused(pattern: str) -> None:
    try:
        keeps = parse_pattern(pattern)
    except CallerError:
        return
    assert keeps("x") in (True, False)
