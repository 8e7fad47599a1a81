"""Partial batch responses, row by row of AWS's documentation."""

import json
from typing import Any

import pytest

from lambdash.event_sources.batch_response import failed_identifiers

IDS = ("a", "b", "c")


def failed(response: Any) -> frozenset[str]:
    payload = response if isinstance(response, bytes) else json.dumps(response).encode()
    return failed_identifiers(payload, IDS)


@pytest.mark.parametrize(
    "response", [{}, None, b"", {"batchItemFailures": []}, {"batchItemFailures": None}, {"x": 1}]
)
def test_complete_success(response: Any) -> None:
    assert failed(response) == frozenset()


def test_partial_failure() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "b"}]}
    assert failed(answer) == {"b"}


@pytest.mark.parametrize(
    "response",
    [
        b"{not json",
        "text",
        [1],
        7,
        {"batchItemFailures": "a"},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"id": "a"}]},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": 1}]},
        b"[" * 100_000,
    ],
)
def test_complete_failure(response: Any) -> None:
    assert failed(response) == set(IDS)
