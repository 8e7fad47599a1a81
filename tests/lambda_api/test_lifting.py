"""A large archive is the same bytes as if the whole document had been parsed."""

import base64
import json
from typing import Any

import pytest

from lambdash import limits
from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.lifting import parse_json

LARGE = bytes(range(256)) * (limits.LIFTED_ARCHIVE_MIN_BYTES // 128)
TEXT = base64.b64encode(LARGE).decode()


@pytest.mark.parametrize("path", [("Code", "ZipFile"), ("ZipFile",)])
def test_lifted(path: tuple[str, ...]) -> None:
    document: Any = TEXT
    for name in reversed(path):
        document = {name: document, "Other": 'a "ZipFile": "b"'}
    found = parse_json(json.dumps(document).encode())
    assert found["Other"] == 'a "ZipFile": "b"'
    for name in path:
        found = found[name]
    assert found == LARGE


def test_small_or_escaped_text_stays() -> None:
    assert parse_json(b'{"ZipFile": "QUJD"}') == {"ZipFile": "QUJD"}
    escaped = json.dumps({"ZipFile": TEXT}).replace("/", "\\/").encode()
    assert parse_json(escaped) == {"ZipFile": TEXT}
    assert parse_json(json.dumps({"Tags": TEXT}).encode()) == {"Tags": TEXT}


def test_what_is_neither() -> None:
    with pytest.raises(ApiError):
        parse_json(json.dumps({"ZipFile": "!" * len(TEXT)}).encode())
    with pytest.raises(ValueError):
        parse_json(('{"ZipFile": "' + TEXT).encode())
    assert parse_json(json.dumps([{"ZipFile": TEXT}]).encode()) != [{"ZipFile": TEXT}]
