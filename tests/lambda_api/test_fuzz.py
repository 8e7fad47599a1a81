"""Whatever is asked: an answer in AWS's shape, never 500, soon, and nothing outside the store."""

import asyncio
import base64
import http.client
import io
import json
import struct
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lambdash.lambda_api.service_model import operation_model, service_model
from tests.lambda_api.client import new_function
from tests.lambda_api.conftest import Endpoint

NASTY: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    -(2**70),
    10**400,
    1.5,
    1e308,
    "",
    " ",
    "a",
    "a" * 70_000,
    "\x00\x01\x7f",
    "\ud83d\ude00 ü",
    "../../../etc/passwd",
    "..%2f..",
    "$LATEST",
    "arn:aws:lambda:us-east-1:000000000000:function:hello",
    "hello:1:2:3",
    "%s %d {0} ${x}",
    [],
    [None],
    ["x" * 300],
    [[[[[[]]]]]],
    {},
    {"": ""},
    {"a": {"b": {"c": [{}]}}},
    {"Variables": {"AB": 1}},
    {"ZipFile": "AAAA"},
    {"ZipFile": "!!"},
    {"Variables": {"x" * 5000: "y"}},
]
SLOW_S = 1.0


def requests() -> Iterator[tuple[str, str, bytes]]:
    """Each operation with each of the values for all that it takes; Invoke is the hot path's."""
    for name in service_model().operation_names:
        if name.startswith("Invoke"):
            continue
        model = operation_model(name)
        for value in NASTY:
            yield model.http["method"], *target_and_body(model, value)


def target_and_body(model: Any, value: Any) -> tuple[str, bytes]:
    path = model.http["requestUri"]
    text = value if isinstance(value, str) else json.dumps(value)
    body: dict[str, Any] = {}
    query = []
    members = {} if model.input_shape is None else model.input_shape.members
    for name, member in members.items():
        where = member.serialization.get("location")
        key = member.serialization.get("name", name)
        if where == "uri":
            path = path.replace(f"{{{key}}}", _quoted(text) or "x")
        elif where == "querystring":
            query.append(f"{key}={_quoted(text)}")
        else:
            body[key] = value
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}{'&'.join(query)}", json.dumps(body).encode()


def _quoted(text: str) -> str:
    return quote(text[:500].encode("utf-8", "surrogatepass"), safe="")


async def test_every_operation_with_every_value(endpoint: Endpoint, tmp_path: Path) -> None:
    def use() -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.server.port)
        with closing(connection):
            return [
                f"{method} {target[:200]} {body[:200]!r}: {fault}"
                for method, target, body in requests()
                if (fault := fault_of(connection, method, target, body)) is not None
            ]

    assert await asyncio.to_thread(use) == []
    assert not (tmp_path / "etc").exists()


def fault_of(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes
) -> str | None:
    begun = time.monotonic()
    connection.request(method, target, body)
    answer = connection.getresponse()
    content = answer.read()
    if time.monotonic() - begun > SLOW_S:
        return f"took {time.monotonic() - begun:.1f} s"
    if answer.status == 501 or answer.status < 400:
        return None
    if not 400 <= answer.status < 500:
        return f"{answer.status} {content[:300]!r}"
    if not answer.headers["x-amzn-errortype"] or not answer.headers["x-amzn-requestid"]:
        return "no error type, or no request id"
    message = {name.lower() for name in json.loads(content)}
    return None if "message" in message else f"no message: {content[:200]!r}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"1" * 5_000,
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"FunctionName": "\\ud800"}',
        json.dumps(new_function(Code={}, Description="\ud800")).encode(),
        json.dumps(new_function(Code={}, Environment={"Variables": {"AB": "\0"}})).encode(),
        b'{"Code": {"ZipFile": "' + b"A" * 200_000,
        b'{"Code": {"ZipFile": "' + b"!" * 200_000 + b'"}}',
        b'{"Timeout": ' + b"9" * 5_000 + b"}",
        b"PK\x03\x04" + bytes(1_000),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_bodies_that_are_no_request(endpoint: Endpoint, body: bytes) -> None:
    begun = time.monotonic()
    answer = await endpoint.send("POST", "/2015-03-31/functions", body)
    assert 400 <= answer.status < 500
    assert answer.headers["x-amzn-errortype"]
    assert time.monotonic() - begun < SLOW_S


def zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def link_out() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("out")
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc")
    return buffer.getvalue()


def bomb() -> bytes:
    """Says that it is 300 MB, and is a few KB."""
    buffer = io.BytesIO()
    compressed = zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
    with compressed as archive, archive.open("zeros", "w") as member:
        for _ in range(300):
            member.write(bytes(1024 * 1024))
    return buffer.getvalue()


HOSTILE = {
    "up": zip_of(**{"../../escaped": b"x"}),
    "absolute": zip_of(**{"/tmp/escaped-lambdash": b"x"}),
    "link": link_out(),
    "bomb": bomb(),
    "cut": zip_of(a=b"x" * 500)[:-30],
    "torn": zip_of(a=b"x" * 500)[:20] + struct.pack("<Q", 0) + zip_of(a=b"x" * 500)[28:],
    "empty": zip_of(),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_archives_that_harm(endpoint: Endpoint, tmp_path: Path, kind: str) -> None:
    asked = new_function(Code={"ZipFile": base64.b64encode(HOSTILE[kind]).decode()})
    before = set(tmp_path.parent.iterdir())
    answer = await endpoint.send("POST", "/2015-03-31/functions", json.dumps(asked).encode())
    assert answer.status == 400, answer.body
    assert answer.headers["x-amzn-errortype"] == "InvalidParameterValueException"
    assert not Path("/tmp/escaped-lambdash").exists()
    assert set(tmp_path.parent.iterdir()) == before
    assert not list(tmp_path.rglob("escaped"))
    assert "made" not in endpoint.rig.emulator.registry.functions
