"""Names as callers write them. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.model.arn import LATEST, FunctionReference, parse_reference, pool_key

ACCEPTED = {
    "hello": ("hello", None),
    "hello-1_B": ("hello-1_B", None),
    "a" * 64: ("a" * 64, None),
    "hello:$LATEST": ("hello", "$LATEST"),
    "hello:prod": ("hello", "prod"),
    "hello:7": ("hello", "7"),
    "function:hello": ("hello", None),
    "function": ("function", None),
    "000000000000:function:hello": ("hello", None),
    "000000000000:function:hello:prod": ("hello", "prod"),
    "arn:aws:lambda:us-east-1:000000000000:function:hello": ("hello", None),
    "arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST": ("hello", "$LATEST"),
    "arn:aws:lambda:eu-west-1:123456789012:function:hello:prod": ("hello", "prod"),
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:hello": ("hello", None),
    "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:hello": ("hello", None),
}
REFUSED = [
    "",
    " hello",
    "hello ",
    "hello\n",
    "a" * 65,
    "hel.lo",
    "hel/lo",
    "héllo",
    "hello:",
    "hello:$latest",
    "hello:pr.od",
    "hello:prod:more",
    "$LATEST",
    "arn:aws:sqs:us-east-1:000000000000:function:hello",
    "arn:aws:lambda:us-east-1:00000000000:function:hello",
    "arn:aws:lambda:nowhere:000000000000:function:hello",
]


@pytest.mark.parametrize(("text", "parts"), ACCEPTED.items())
def test_accepted(text: str, parts: tuple[str, str | None]) -> None:
    found = parse_reference(text)
    assert found is not None
    assert (found.name, found.qualifier) == parts


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    assert parse_reference(text) is None


NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)


@given(NAMES, st.none() | st.from_regex(r"[a-zA-Z0-9_-]{1,128}", fullmatch=True))
def test_a_full_arn_means_what_it_says(name: str, qualifier: str | None) -> None:
    suffix = "" if qualifier is None else f":{qualifier}"
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}{suffix}"
    expected = FunctionReference(name, qualifier, "us-east-1", "000000000000")
    assert parse_reference(arn) == expected
    assert pool_key(name, LATEST) == name
