"""Payloads: JSON is let through unchanged, everything else refused with its place."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash import limits
from lambdash.client import payload
from lambdash.errors import CallerError

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT
_JSON = st.recursive(
    _SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


def stdin(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content))


@settings(max_examples=50)
@given(value=_JSON, indent=st.sampled_from([None, 1]))
def test_json_reaches_the_function_unchanged(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert payload.read(" " + text, stdin(b"")) == b" " + text.encode()
    assert payload.parsed(text.encode()) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{'a': 1}", "Expecting property name enclosed in double quotes at line 1, column 2"),
        ("Ada", "Expecting value at line 1, column 1"),
        ("", "Expecting value at line 1, column 1"),
        ("[1] 2", "Extra data at line 1, column 5"),
        ("[NaN]", "NaN is not a JSON value"),
        ("[" * 200_000, "it is nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused(source: str, message: str) -> None:
    with pytest.raises(CallerError) as caught:
        payload.read(source, stdin(b""))
    assert caught.value.code == "payload-not-json"
    assert caught.value.message == f"the payload is not JSON: {message}"
    assert caught.value.hint


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(CallerError) as caught:
        payload.read("-", stdin(b'"\xff"'))
    assert caught.value.message == "the payload is not JSON: byte 1 is not UTF-8"


def test_aws_s_limit_holds_for_every_source(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'"' + b"x" * (limits.REQUEST_PAYLOAD_MAX_BYTES - 2) + b'"')
    assert len(payload.read(f"@{file}", stdin(b""))) == limits.REQUEST_PAYLOAD_MAX_BYTES
    for source, content in ((f"@{file}", b""), ("-", file.read_bytes() + b" ")):
        if source != "-":
            file.write_bytes(file.read_bytes() + b" ")
        with pytest.raises(CallerError) as caught:
            payload.read(source, stdin(content))
        assert caught.value.code == "payload-too-large"


def test_a_number_of_any_length_is_json() -> None:
    assert payload.read("1" * 5_000, stdin(b"")) == b"1" * 5_000


@pytest.mark.parametrize("answer", [b"NaN", b"1e400", b"", b"\xff", b"[" * 200_000])
def test_a_response_that_could_not_be_written_again_is_not_parsed(answer: bytes) -> None:
    with pytest.raises(ValueError):
        payload.parsed(answer)


def test_a_closed_standard_input_is_said_so() -> None:
    with pytest.raises(CallerError) as caught:
        payload.read("-", None)
    assert caught.value.code == "payload-unreadable"
