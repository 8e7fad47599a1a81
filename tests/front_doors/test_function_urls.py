"""Function URLs on a real port, over an emulator with the engine in memory."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lambdash.emulator.streaming import ResponseHead
from lambdash.front_doors import function_urls
from lambdash.front_doors.exchange import HttpRequest
from lambdash.front_doors.function_urls import Answering, FunctionUrls
from lambdash.front_doors.prelude import CONTENT_TYPE
from lambdash.http.server import HttpServer, Responder
from lambdash.lambda_api.listener import Companion, LambdaApi
from lambdash.model import Scaling
from tests.emulator.conftest import Rig, make_rig

__all__ = ["make_rig"]

URL_ID = "0123456789abcdef0123456789abcdef"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Door:
    rig: Rig
    server: HttpServer

    def configure(self, name: str = "hello", url_id: str = URL_ID, **config: Any) -> None:
        document = {"UrlId": url_id, "AuthType": "NONE", "InvokeMode": "BUFFERED", **config}
        self.rig.emulator.registry.put_setting("url", name, document)

    async def send(
        self, method: str = "GET", target: str = "/", body: bytes = b"", **headers: str
    ) -> Answer:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Host", f"{URL_ID}.lambda-url.us-east-1.localhost:{self.server.port}")

        def exchange() -> Answer:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            found = Answer(answer.status, answer.headers, answer.read())
            connection.close()
            return found

        return await asyncio.to_thread(exchange)


async def handler(event: Any) -> Any:
    if event["rawPath"] == "/raise":
        raise ValueError("no")
    if event["rawPath"] == "/malformed":
        return {"statusCode": "soon"}
    if event["rawPath"] == "/page":
        return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>",
                "cookies": ["a=1"]}  # fmt: skip
    return event


@pytest.fixture
async def door(make_rig: Callable[..., Awaitable[Rig]]) -> AsyncIterator[Door]:
    rig = await make_rig(lambda: handler)
    await rig.deploy()
    urls = FunctionUrls(rig.emulator, lambda: 1_800_000_000.0)
    companion = Companion(function_urls.matches, urls.handle, public=True)
    api = LambdaApi(rig.emulator, lambda: None, companions=(companion,))
    server = await api.listen(0)
    yield Door(rig, server)
    await server.close()
    await api.close()


async def test_a_request_reaches_the_function(door: Door) -> None:
    door.configure()
    answer = await door.send("POST", "/a/b?x=1", b"hi", Content_Type="text/plain", Cookie="c=1")
    assert answer.status == 200
    event = json.loads(answer.body)
    assert (event["rawPath"], event["rawQueryString"], event["body"]) == ("/a/b", "x=1", "hi")
    assert event["cookies"] == ["c=1"]
    assert event["requestContext"]["apiId"] == URL_ID
    assert event["requestContext"]["accountId"] == "anonymous"
    assert event["headers"]["x-forwarded-proto"] == "http"


async def test_the_path_form(door: Door) -> None:
    door.configure()
    answer = await door.send(target=f"/_url/{URL_ID}/a?b=c", Host=f"localhost:{door.server.port}")
    event = json.loads(answer.body)
    assert (event["rawPath"], event["rawQueryString"]) == ("/a", "b=c")


async def test_a_structured_response(door: Door) -> None:
    door.configure()
    answer = await door.send(target="/page")
    assert answer.body == b"<p>"
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["set-cookie"] == "a=1"


async def test_failures_are_bad_gateways(door: Door) -> None:
    door.configure()
    for path in ("/raise", "/malformed"):
        answer = await door.send(target=path)
        assert (answer.status, answer.body) == (502, b"Internal Server Error")


async def test_a_throttled_function(door: Door) -> None:
    door.configure()
    await door.rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))
    answer = await door.send()
    assert answer.status == 429
    assert json.loads(answer.body)["message"] == "Rate Exceeded."


async def test_a_payload_past_lambdas_limit_is_too_large(door: Door) -> None:
    door.configure()
    answer = await door.send("POST", "/a", b"x" * 7_000_000, Content_Type="text/plain")
    assert answer.status == 413
    assert b"Request must be smaller than 6291456 bytes" in answer.body


async def test_an_unknown_url_is_forbidden(door: Door) -> None:
    answer = await door.send()
    assert (answer.status, answer.body) == (403, b'{"Message":"Forbidden"}')


async def test_a_removed_url_is_forbidden(door: Door) -> None:
    door.configure()
    assert (await door.send()).status == 200
    door.rig.emulator.registry.remove_setting("url", "hello")
    assert (await door.send()).status == 403


async def test_iam_is_refused_by_name(door: Door) -> None:
    door.configure(AuthType="AWS_IAM")
    answer = await door.send()
    assert answer.status == 403
    assert b"AWS_IAM is not supported" in answer.body


async def test_pages_of_other_origins_are_served_here_and_only_here(door: Door) -> None:
    door.configure(Cors={"AllowOrigins": ["*"], "AllowMethods": ["*"]})
    page = {"Origin": "https://example.com", "Sec_Fetch_Site": "cross-site"}
    answer = await door.send(**page)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    answer = await door.send("OPTIONS", Access_Control_Request_Method="PUT", **page)
    assert (answer.status, answer.body) == (200, b"")
    host = {"Host": f"127.0.0.1:{door.server.port}"}
    answer = await door.send(target="/2015-03-31/functions", **page, **host)
    assert answer.status == 403


class Wire(Responder):
    """A responder that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.state = "waiting"
        self.on_writable = None
        self.on_disconnect = None
        self.slow = False

    @property
    def is_open(self) -> bool:
        return self.state != "done"

    @property
    def is_waiting(self) -> bool:
        return self.state == "waiting"

    @property
    def is_congested(self) -> bool:
        return self.slow

    def start(self, status: int, headers: Any) -> None:
        self.state = "streaming"
        self.sent.append((status, dict(headers)))

    def write(self, chunk: bytes) -> None:
        self.sent.append(chunk)

    def send(self, status: int, headers: Any, body: bytes) -> None:
        self.state = "done"
        self.sent.append((status, body))

    def end(self) -> None:
        self.state = "done"


class Pace:
    """A flow that remembers whether it is held."""

    held = False

    def pause_body(self) -> None:
        self.held = True

    def resume_body(self) -> None:
        self.held = False


REQUEST = HttpRequest("GET", "/", "", (), b"", "127.0.0.1", 0.0)


def streamed(*chunks: bytes, kind: str = CONTENT_TYPE) -> Wire:
    wire = Wire()
    answering = Answering(wire, REQUEST, None)
    answering.begin(ResponseHead(kind, "$LATEST"), Pace())
    for chunk in chunks:
        answering.data(chunk)
    return wire


def test_a_prelude_becomes_the_head() -> None:
    wire = streamed(b'{"statusCode":201,"headers":{"A":"b"}', b"}" + b"\0" * 8 + b"one", b"two")
    assert wire.sent[0] == (201, {b"a": b"b", b"content-type": b"application/json"})
    assert wire.sent[1:] == [b"one", b"two"]


def test_a_stream_without_a_prelude_is_passed_on() -> None:
    wire = streamed(b"one", kind="text/plain")
    assert wire.sent == [(200, {b"content-type": b"text/plain"}), b"one"]


def test_a_malformed_prelude_is_a_bad_gateway() -> None:
    for prelude in (b"not json" + b"\0" * 8, b"[]" + b"\0" * 8, b"x" * 70_000):
        wire = streamed(prelude, b"more")
        assert wire.sent == [(502, b"Internal Server Error")]


def test_a_slow_reader_holds_the_runtime() -> None:
    wire, pace = Wire(), Pace()
    wire.slow = True
    answering = Answering(wire, REQUEST, None)
    answering.begin(ResponseHead("text/plain", "$LATEST"), pace)
    answering.data(b"x")
    assert pace.held
    assert wire.on_writable is not None
    wire.on_writable()
    assert not pace.held
