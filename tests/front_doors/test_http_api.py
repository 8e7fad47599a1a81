"""The project's HTTP API on a real port, over an emulator with the engine in memory."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lambdash.front_doors.http_api import HttpApi
from lambdash.model import Scaling
from lambdash.model.connections import Connections, HttpSource
from tests.emulator.conftest import Rig, make_rig
from tests.front_doors.test_payload_v2 import assert_same_shape
from tests.vectors import powertools_event

__all__ = ["make_rig"]


@dataclass
class Api:
    rig: Rig
    api: HttpApi

    async def route(self, name: str, *sources: HttpSource, scaling: Scaling | None = None) -> None:
        deployed = self.rig.package(name, scaling=scaling)
        connections = Connections(event_sources=sources)
        function = replace(deployed.function, connections=connections)
        await self.rig.emulator.deployer.switch(replace(deployed, function=function))
        await self.api.refresh()

    async def send(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        status, _, received = await self.exchange(method, target, body, **headers)
        return status, received

    async def exchange(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        assert self.api.url is not None
        port = int(self.api.url.rpartition(":")[2])

        def exchange() -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body or None, fields)
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return found

        return await asyncio.to_thread(exchange)


async def handler(event: Any) -> Any:
    if event["rawPath"] == "/raise":
        raise ValueError("no")
    if event["rawPath"] == "/untyped":
        return {"statusCode": 204}
    if event["rawPath"] == "/malformed":
        return {"statusCode": "soon"}
    return event


@pytest.fixture
async def api(make_rig: Callable[..., Awaitable[Rig]]) -> AsyncIterator[Api]:
    rig = await make_rig(lambda: handler)
    api = HttpApi(rig.emulator, "abcdefghij", lambda: 1_800_000_000.0, lambda: None)
    yield Api(rig, api)
    await api.close()


async def test_nothing_listens_without_a_route(api: Api) -> None:
    await api.api.refresh()
    assert api.api.url is None


async def test_a_request_takes_its_route(api: Api) -> None:
    await api.route("orders", HttpSource("GET", "/orders/{id}"), HttpSource("ANY", "$default"))
    status, body = await api.send("GET", "/orders/a%20b?x=1&x=2")
    event = json.loads(body)
    assert status == 200
    assert event["routeKey"] == "GET /orders/{id}"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["rawPath"] == "/orders/a b"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["requestContext"]["accountId"] == "000000000000"
    _, body = await api.send("POST", "/elsewhere", b"{}", Content_Type="application/json")
    assert json.loads(body)["routeKey"] == "$default"


async def test_the_event_has_the_keys_of_awss(api: Api) -> None:
    await api.route("f", HttpSource("GET", "/my/{parameter1}"))
    target = "/my/path?parameter1=value1&parameter1=value2&parameter2=value"
    _, body = await api.send("GET", target, Cookie="cookie1; cookie2", Header2="value1")
    theirs = powertools_event("apiGatewayProxyV2Event_GET.json")
    for absent in ("authentication", "authorizer"):
        del theirs["requestContext"][absent]
    del theirs["stageVariables"]
    assert_same_shape(json.loads(body), theirs)


async def test_a_response_without_a_type_is_text(api: Api) -> None:
    await api.route("f", HttpSource("GET", "/untyped"))
    status, headers, _ = await api.exchange("GET", "/untyped")
    assert (status, headers["content-type"]) == (204, "text/plain; charset=utf-8")


async def test_what_no_route_takes_is_not_found(api: Api) -> None:
    await api.route("f", HttpSource("GET", "/a"))
    assert await api.send("GET", "/b") == (404, b'{"message":"Not Found"}')
    assert await api.send("POST", "/a") == (404, b'{"message":"Not Found"}')


async def test_failures_are_answered_as_api_gateway_does(api: Api) -> None:
    await api.route("f", HttpSource("ANY", "/{proxy+}"))
    for path in ("/raise", "/malformed"):
        assert await api.send("GET", path) == (500, b'{"message":"Internal Server Error"}')
    await api.route(
        "f", HttpSource("ANY", "/{proxy+}"), scaling=Scaling(reserved_concurrent_executions=0)
    )
    assert await api.send("GET", "/a") == (503, b'{"message":"Service Unavailable"}')


async def test_a_payload_past_lambdas_limit_is_too_large(api: Api) -> None:
    await api.route("f", HttpSource("ANY", "/{proxy+}"))
    answer = await api.send("POST", "/a", b"x" * 7_000_000, Content_Type="text/plain")
    assert answer == (413, b'{"message":"Request Entity Too Large"}')


async def test_a_route_that_is_gone_is_not_found(api: Api) -> None:
    await api.route("f", HttpSource("GET", "/a"))
    assert (await api.send("GET", "/a"))[0] == 200
    await api.route("f", HttpSource("GET", "/b"))
    assert (await api.send("GET", "/a"))[0] == 404
