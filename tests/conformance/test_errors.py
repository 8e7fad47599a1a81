"""How invocations fail: the texts and shapes that AWS answers, on both engines.

Expected values are AWS's: its documentation (each test names the page), and responses and logs
recorded from the service.
"""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import NODE_RUNTIME, Cloud
from tests.integration.endpoint import Caller


def _exit(cloud: Cloud, function: str, event: dict[str, Any]) -> tuple[str, str]:
    """Type and message, the request's id as ``ID``; those two members and no other."""
    answer = cloud.invoke(function, event)
    assert answer.error == "Unhandled"
    assert list(answer.payload) == ["errorType", "errorMessage"]
    message = answer.payload["errorMessage"].replace(answer.request_id, "ID")
    return answer.payload["errorType"], message


def test_handler_raised(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    answer = cloud.invoke("py", {"do": "raise"})
    assert (answer.error, answer.version) == ("Unhandled", "$LATEST")
    assert list(answer.payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert answer.payload["errorMessage"] == "'asked to'"
    assert answer.payload["errorType"] == "KeyError"
    assert answer.payload["requestId"] == answer.request_id
    assert all(isinstance(line, str) for line in answer.payload["stackTrace"])


def test_an_error_is_known_by_its_route(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: /response is a success"""
    looks_like_one = {"errorType": "KeyError", "errorMessage": "none"}
    answer = cloud.invoke("py", {"do": "return", "value": looks_like_one})
    assert (answer.error, answer.payload) == (None, looks_like_one)


def test_timeout(cloud: Cloud) -> None:
    """Recorded: `Sandbox.Timedout`, seconds with two decimals"""
    expected = ("Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds")
    assert _exit(cloud, "slow", {"do": "hang"}) == expected


def test_after_a_timeout(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: the runtime is
    reset, and `/tmp` is kept"""
    first = cloud.invoke("slow", {"do": "count"}).payload
    environments = _environments(cloud, "slow")
    cloud.invoke("slow", {"do": "hang"})
    after = cloud.invoke("slow", {"do": "count"}).payload
    assert (after["count"], after["kept"]) == (1, True)
    assert first["pid"] != after["pid"] or cloud.engine == "docker"
    assert _environments(cloud, "slow") == environments


def _environments(cloud: Cloud, function: str) -> set[str]:
    return {one["id"] for one in cloud.project.environments() if one["function"] == function}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"do": "exit", "code": 0}, "Runtime exited without providing a reason"),
        ({"do": "exit", "code": 1}, "Runtime exited with error: exit status 1"),
        ({"do": "exit", "code": 106}, "Runtime exited with error: exit status 106"),
        ({"do": "signal", "number": 9}, "Runtime exited with error: signal: killed"),
        ({"do": "signal", "number": 11}, "Runtime exited with error: signal: segmentation fault"),
        ({"do": "signal", "number": 15}, "Runtime exited with error: signal: terminated"),
    ],
)
def test_exits(cloud: Cloud, event: dict[str, Any], expected: str) -> None:
    """Recorded: `Runtime.ExitError`"""
    assert _exit(cloud, "py", event) == ("Runtime.ExitError", f"RequestId: ID Error: {expected}")


def test_missing_wrapper(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html"""
    expected = "RequestId: ID Error: Runtime exited with error: exit status 127"
    assert _exit(cloud, "wrapped", {}) == ("Runtime.ExitError", expected)


def test_out_of_memory(cloud: Cloud) -> None:
    """Recorded: `Runtime.OutOfMemory`, and Max Memory Used = Memory Size"""
    answer = cloud.invoke("py", {"do": "fill"})
    assert answer.payload["errorType"] == "Runtime.OutOfMemory"
    message = answer.payload["errorMessage"].replace(answer.request_id, "ID")
    assert message == "RequestId: ID Error: Runtime exited with error: signal: killed"
    report = answer.lines[-2]
    assert "\tMemory Size: 192 MB\tMax Memory Used: 192 MB" in report
    assert report.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory")


@pytest.mark.parametrize(
    ("function", "error_type", "message"),
    [
        (
            "no-module",
            "Runtime.ImportModuleError",
            r"Unable to import module 'absent': No module named 'absent'",
        ),
        (
            "bad-import",
            "Runtime.ImportModuleError",
            r"Unable to import module 'app': No module named 'nothing_of_this_name'",
        ),
        ("no-handler", "Runtime.HandlerNotFound", r"Handler 'handler' missing on module 'app'"),
        ("bad-syntax", "Runtime.UserCodeSyntaxError", r"Syntax error in module 'app': .*"),
        ("bad-name", "Runtime.MalformedHandlerName", r"Bad handler 'app': .*"),
    ],
)
def test_init_errors(cloud: Cloud, function: str, error_type: str, message: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"""
    answer = cloud.invoke(function, {})
    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == error_type
    assert re.fullmatch(message, answer.payload["errorMessage"])
    assert answer.payload["requestId"] == ""
    assert isinstance(answer.payload["stackTrace"], list)
    assert not any(one["function"] == function for one in cloud.project.environments()), (
        "the environment is not used again"
    )
    assert answer.lines[-2].endswith(f"\tStatus: error\tError Type: {error_type}")


def test_an_init_that_exits(cloud: Cloud) -> None:
    """Recorded: the first invoke reports it, and nothing is relaunched until the next"""
    expected = "RequestId: ID Error: Runtime exited with error: exit status 7"
    for _ in range(2):
        assert _exit(cloud, "exits", {}) == ("Runtime.ExitError", expected)
    initialised = cloud.project.succeed("logs", "exits", "--filter", "INIT_START")["events"]
    assert 2 <= len(initialised) <= 3, "one an invoke, and one ahead of them"


def test_suppressed_init(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: cut off at 10 s
    and run again under the function's timeout"""
    answer = cloud.invoke("slow-init", {})
    assert (answer.error, answer.payload) == (None, "initialised at last")
    events = cloud.project.succeed("logs", "slow-init", "--json")["events"]
    (report,) = [line["text"] for line in events if line["text"].startswith("INIT_REPORT")]
    found = re.fullmatch(
        r"INIT_REPORT Init Duration: (\d+\.\d\d) ms\tPhase: init\tStatus: timeout", report
    )
    assert found is not None
    assert 10_000 <= float(found[1]) < 15_000


def test_unserialisable_return(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"""
    answer = cloud.invoke("py", {"do": "set"})
    assert answer.payload["errorType"] == "Runtime.MarshalError"
    expected = "Unable to marshal response: Object of type set is not JSON serializable"
    assert answer.payload["errorMessage"] == expected


def test_node_errors(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html"""
    if NODE_RUNTIME is None:
        pytest.skip("this machine has no Node that AWS Lambda offers")
    answer = cloud.invoke("node", {"do": "raise"})
    assert answer.error == "Unhandled"
    assert list(answer.payload) == ["errorType", "errorMessage", "trace"]
    assert (answer.payload["errorType"], answer.payload["errorMessage"]) == (
        "TypeError",
        "asked to",
    )
    assert answer.payload["trace"][0] == "TypeError: asked to"
    well = cloud.invoke("node", {})
    assert (well.error, well.payload["request"]) == (None, well.request_id)


def test_custom_runtime(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""
    assert cloud.invoke("shell", {"n": 1}).payload == {"echo": {"n": 1}}
    failed = cloud.invoke("shell", {"do": "fail"})
    assert failed.error == "Unhandled"
    assert failed.payload == {"errorType": "Shell.Failed", "errorMessage": "asked to"}
    expected = "RequestId: ID Error: Runtime exited with error: exit status 9"
    assert _exit(cloud, "shell", {"do": "crash"}) == ("Runtime.ExitError", expected)


def test_response_too_large(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    assert len(cloud.invoke("py", {"do": "large", "bytes": 6_291_554}).payload) == 6_291_554
    expected = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    answer = _exit(cloud, "py", {"do": "large", "bytes": 6_291_555})
    assert answer == ("Function.ResponseSizeTooLarge", expected)


def test_request_too_large(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    envelope = len(json.dumps({"do": "return", "pad": ""}))
    fits = {"do": "return", "pad": "x" * (6_291_456 - envelope)}
    assert cloud.invoke("py", fits).error is None
    with pytest.raises(ClientError) as caught:
        cloud.invoke("py", {**fits, "pad": fits["pad"] + "x"})
    response: dict[str, Any] = dict(caught.value.response)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Code"] == "RequestTooLargeException"


def test_payload_is_not_json(cloud: Cloud) -> None:
    """Recorded: 400 `InvalidRequestContentException`, Type `User`"""
    with Caller(cloud.endpoint) as caller:
        refused = caller.invoke("py", b"{not json")
    assert refused.status == 400
    assert refused.headers["x-amzn-errortype"] == "InvalidRequestContentException"
    assert refused.document["Type"] == "User"
    message = refused.document.get("message") or refused.document["Message"]
    assert message.startswith(
        "Could not parse request body into json: Could not parse payload into json: "
    )


def test_a_dry_run(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    answer = cloud.aws.invoke(FunctionName="py", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""


def test_log_tail(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: with `LogType=Tail` only"""
    answer = cloud.invoke("py", {"do": "print", "text": "x" * 10_000})
    assert len(answer.log) == 4096
    assert cloud.aws.invoke(FunctionName="py", Payload=b'{"do": "return"}').get("LogResult") is None


def test_a_late_answer_is_refused(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: 400 for another's id"""
    answer = cloud.invoke("shell", {"do": "late"})
    assert (answer.error, answer.payload) == (None, "mine")
    assert '"errorType": "InvalidRequestID"' in answer.log
