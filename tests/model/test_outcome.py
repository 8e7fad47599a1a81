"""How outcomes are told apart by callers."""

import json

import pytest

from lambdash.model import (
    Crashed,
    FunctionFailed,
    InitFailed,
    Outcome,
    PlatformFailed,
    Succeeded,
    Throttled,
    TimedOut,
    error_document,
    function_error,
)

OUTCOMES: list[tuple[Outcome, str, str | None]] = [
    (Succeeded(b""), "succeeded", None),
    (FunctionFailed(b""), "function_failed", "Unhandled"),
    (TimedOut(b""), "timed_out", "Unhandled"),
    (InitFailed(b""), "init_failed", "Unhandled"),
    (Crashed(b""), "crashed", "Unhandled"),
    (Throttled("x"), "throttled", None),
    (PlatformFailed("x", "y"), "platform_failed", None),
]


@pytest.mark.parametrize(("outcome", "kind", "error"), OUTCOMES)
def test_kind_and_function_error(outcome: Outcome, kind: str, error: str | None) -> None:
    assert outcome.kind == kind
    assert function_error(outcome) == error


def test_an_error_document_is_awss() -> None:
    document = error_document("Runtime.ExitError", 'said "no"\n')
    assert json.loads(document) == {"errorType": "Runtime.ExitError", "errorMessage": 'said "no"\n'}
    assert document.startswith(b'{"errorType":')
