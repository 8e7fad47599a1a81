"""The Invoke operation on the wire. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import asyncio
import base64
import json
from typing import Any

import pytest

from lambdash import limits
from lambdash.errors import PlatformError
from lambdash.http.budget import ByteBudget
from lambdash.model import Scaling
from lambdash.testing import Crash, Hang
from tests.lambda_api.conftest import Answer, Endpoint, MakeEndpoint

ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def check_error(answer: Answer, status: int, name: str) -> Any:
    """Shape of every error: the exception's name in a header, its type in the body."""
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (status, name)
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    return answer.document


async def test_success(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke(body=b'{"name": "Ada"}')
    assert (answer.status, answer.document) == (200, {"name": "Ada"})
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert "x-amz-function-error" not in answer.headers
    assert "x-amz-log-result" not in answer.headers
    assert endpoint.used == [None]


async def test_an_empty_body_is_an_empty_event(endpoint: Endpoint) -> None:
    assert (await endpoint.invoke(body=b"")).document == {}


@pytest.mark.parametrize(
    "name",
    [
        "hello",
        "hello:$LATEST",
        "hello:%24LATEST",
        ARN,
        f"{ARN}:$LATEST",
        "000000000000:function:hello",
        ARN.replace(":", "%3A"),
    ],
)
async def test_every_spelling_of_the_name(endpoint: Endpoint, name: str) -> None:
    assert (await endpoint.invoke(name)).status == 200


async def test_the_qualifier_may_be_latest(endpoint: Endpoint) -> None:
    answer = await endpoint.send(
        "POST", "/2015-03-31/functions/hello/invocations?Qualifier=%24LATEST", b"1"
    )
    assert (answer.status, answer.body) == (200, b"1")


@pytest.mark.parametrize(
    ("name", "query", "missing"),
    [
        ("nobody", "", "nobody"),
        ("hello", "?Qualifier=prod", "hello:prod"),
        ("hello:7", "", "hello:7"),
        ("nobody", "?Qualifier=%24LATEST", "nobody:$LATEST"),
    ],
)
async def test_unknown(endpoint: Endpoint, name: str, query: str, missing: str) -> None:
    path = f"/2015-03-31/functions/{name}/invocations{query}"
    document = check_error(
        await endpoint.send("POST", path, b"{}"), 404, "ResourceNotFoundException"
    )
    assert document == {
        "Type": "User",
        "Message": f"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{missing}",
    }


@pytest.mark.parametrize("name", ["hel%20lo", "a" * 65, "%2e%2e", "h%C3%A9llo", "hello:", "a%2Fb"])
async def test_bad_names(endpoint: Endpoint, name: str) -> None:
    document = check_error(await endpoint.invoke(name), 400, "ValidationException")
    assert "at 'functionName' failed to satisfy constraint" in document["Message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"hello",
        b"\xff",
        b"{'a': 1}",
        b"[" * 100_000,
        b"NaN",
        b"[Infinity]",
        b'{"a": -Infinity}',
    ],
)
async def test_what_is_not_json(endpoint: Endpoint, body: bytes) -> None:
    document = check_error(await endpoint.invoke(body=body), 400, "InvalidRequestContentException")
    assert document["Type"] == "User"
    assert document["Message"].startswith("Could not parse request body into json:")
    assert endpoint.rig.engine.launches == 0


async def test_a_function_error(make_endpoint: MakeEndpoint) -> None:
    async def failing(event: Any) -> Any:
        raise ValueError("no")

    endpoint = await make_endpoint(lambda: failing)
    await endpoint.rig.deploy()
    answer = await endpoint.invoke()
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.document == {"errorMessage": "no", "errorType": "ValueError"}


async def test_a_crash(make_endpoint: MakeEndpoint) -> None:
    async def crashing(event: Any) -> Any:
        raise Crash(exit_code=3)

    endpoint = await make_endpoint(lambda: crashing)
    await endpoint.rig.deploy()
    answer = await endpoint.invoke()
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.document["errorType"] == "Runtime.ExitError"
    assert answer.headers["x-amzn-requestid"] in answer.document["errorMessage"]


async def test_a_timeout(make_endpoint: MakeEndpoint) -> None:
    async def hanging(event: Any) -> Any:
        raise Hang

    endpoint = await make_endpoint(lambda: hanging)
    await endpoint.rig.deploy(timeout_s=1)
    answer = await endpoint.invoke()
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.document == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }


async def test_throttled(endpoint: Endpoint) -> None:
    await endpoint.rig.deploy(scaling=Scaling(reserved_concurrent_executions=0))
    answer = await endpoint.invoke()
    document = check_error(answer, 429, "TooManyRequestsException")
    assert answer.headers["retry-after"] == "1"
    assert document == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


async def test_payloads_for_which_there_is_no_room(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint(bodies=ByteBudget(limits.HTTP_COUNTED_BODY_MIN_BYTES))
    await endpoint.rig.deploy()
    body = b'"' + b"x" * limits.HTTP_COUNTED_BODY_MIN_BYTES + b'"'
    document = check_error(await endpoint.invoke(body=body), 429, "TooManyRequestsException")
    assert document["Reason"] == "CallerRateLimitExceeded"
    assert (await endpoint.invoke(body=body[:1] + body[3:])).status == 200


async def test_a_platform_that_fails(endpoint: Endpoint) -> None:
    endpoint.rig.engine.launch_error = PlatformError("no-space", "the disk is full", "free some")
    document = check_error(await endpoint.invoke(), 500, "ServiceException")
    assert document == {"Type": "Service", "Message": "the disk is full; free some"}


async def test_a_dry_run_runs_nothing(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke(X_Amz_Invocation_Type="DryRun")
    assert (answer.status, answer.body) == (204, b"")
    assert endpoint.rig.engine.launches == 0


async def test_a_dry_run_of_an_unknown_function(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke("nobody", X_Amz_Invocation_Type="DryRun")
    check_error(answer, 404, "ResourceNotFoundException")


async def test_an_event_is_accepted_and_run_later(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke(body=b'{"n":1}', X_Amz_Invocation_Type="Event")
    assert (answer.status, answer.body) == (202, b"")
    assert len(answer.headers["x-amzn-requestid"]) == 36
    emulator = endpoint.rig.emulator
    async with asyncio.timeout(10):
        while emulator.events.waiting:
            await asyncio.sleep(0.005)
    entry = await emulator.journal.read(
        lambda journal: journal.entry(answer.headers["x-amzn-requestid"])
    )
    assert entry is not None
    assert entry.outcome == "succeeded"


async def test_an_event_of_an_unknown_function(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke("nobody", X_Amz_Invocation_Type="Event")
    check_error(answer, 404, "ResourceNotFoundException")


async def test_a_large_event(endpoint: Endpoint) -> None:
    body = b'"' + b"x" * limits.ASYNC_PAYLOAD_MAX_BYTES + b'"'
    answer = await endpoint.invoke(body=body, X_Amz_Invocation_Type="Event")
    document = check_error(answer, 413, "RequestTooLargeException")
    assert document["Message"] == (
        "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    )


async def test_an_unknown_invocation_type(endpoint: Endpoint) -> None:
    answer = await endpoint.invoke(X_Amz_Invocation_Type="Sometimes")
    document = check_error(answer, 400, "ValidationException")
    assert "Value 'Sometimes' at 'invocationType'" in document["Message"]


async def test_the_log_tail_when_asked(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()
    rig = endpoint.rig

    async def printing(event: Any) -> Any:
        next(iter(rig.engine.sandboxes.values())).print("x" * 5_000 + "\nend")
        return event

    rig.engine.make_handler = lambda: printing
    await rig.deploy()
    answer = await endpoint.invoke(X_Amz_Log_Type="Tail")
    tail = base64.b64decode(answer.headers["x-amz-log-result"])
    assert len(tail) == 4096
    assert tail.startswith(b"x"), "the beginning is what is cut off"
    assert [line[:6] for line in tail.split(b"\n")[1:]] == [b"end", b"END Re", b"REPORT", b""]
    assert "x-amz-log-result" not in (await endpoint.invoke(X_Amz_Log_Type="None")).headers

    async def failing(event: Any) -> Any:
        raise ValueError(event)

    rig.engine.make_handler = lambda: failing
    await rig.deploy(code="2")
    failed = await endpoint.invoke()
    assert failed.headers["x-amz-function-error"] == "Unhandled"
    assert "x-amz-log-result" not in failed.headers, "only who asked for the tail gets it"


async def test_context_and_trace_id_go_with_the_invocation(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()
    driver = endpoint.rig.emulator.driver

    async def telling(event: Any) -> Any:
        flight = next(iter(driver.environments.values())).flight
        assert flight is not None
        context = flight.invocation.client_context
        return [None if context is None else json.loads(context), flight.invocation.trace_id]

    endpoint.rig.engine.make_handler = lambda: telling
    await endpoint.rig.deploy()
    context = {"custom": {"who": "Ada Lövelace"}}
    trace = (
        "Root=1-65937ef1-36e47ec861b7809b59536238;Parent=27bb0f970d7fdd19;Sampled=1;Lineage=1:0:0"
    )
    headers = {"X_Amz_Client_Context": encoded(context), "X_Amzn_Trace_Id": trace}
    assert (await endpoint.invoke(**headers)).document == [context, trace]
    context_unset, trace_id = (await endpoint.invoke()).document
    assert context_unset is None
    assert trace_id.startswith("Root=1-")


@pytest.mark.parametrize("value", ["%%%", "bm8=", "/w==", base64.b64encode(b"[" * 20_000).decode()])
async def test_a_bad_client_context(endpoint: Endpoint, value: str) -> None:
    answer = await endpoint.invoke(X_Amz_Client_Context=value)
    document = check_error(answer, 400, "InvalidRequestContentException")
    assert "Client context" in document["Message"]


async def test_a_payload_at_the_limit_passes(endpoint: Endpoint) -> None:
    body = b'"' + b"x" * (limits.REQUEST_PAYLOAD_MAX_BYTES - 2) + b'"'
    answer = await endpoint.invoke(body=body)
    assert (answer.status, len(answer.body)) == (200, limits.REQUEST_PAYLOAD_MAX_BYTES)


async def test_a_payload_past_the_limit(endpoint: Endpoint) -> None:
    body = b'"' + b"x" * limits.REQUEST_PAYLOAD_MAX_BYTES + b'"'
    document = check_error(await endpoint.invoke(body=body), 413, "RequestTooLargeException")
    assert document["Message"].startswith("Request must be smaller than 6291456 bytes")
    assert endpoint.rig.engine.launches == 0


async def test_a_caller_that_goes_leaves_the_queue(make_endpoint: MakeEndpoint) -> None:
    gate = asyncio.Event()

    async def waiting(event: Any) -> Any:
        await gate.wait()
        return event

    endpoint = await make_endpoint(lambda: waiting)
    await endpoint.rig.deploy(scaling=Scaling(max_environments=1))
    flying = asyncio.ensure_future(endpoint.invoke())
    driver = endpoint.rig.emulator.driver
    async with asyncio.timeout(10):
        while not endpoint.rig.emulator.busy:
            await asyncio.sleep(0)
        peer = await endpoint.peer()
        await peer.send(
            b"POST /2015-03-31/functions/hello/invocations HTTP/1.1\r\n"
            b"Host: localhost:%d\r\nContent-Length: 0\r\n\r\n" % endpoint.server.port
        )
        while len(driver.waiting("hello")) < 1:
            await asyncio.sleep(0)
        await peer.close()
        while driver.waiting("hello"):
            await asyncio.sleep(0)
        gate.set()
        assert (await flying).status == 200
