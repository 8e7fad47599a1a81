"""What a function's process sees: variables, context, trace, user, limits; on both engines.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import base64
import json
import os
import re
import time
from typing import Any

import pytest

from lambdash.engines.docker.environment import EngineEnvironment
from tests.conformance.conftest import Cloud
from tests.integration.endpoint import Caller
from tests.integration.project import RUNTIME

# every name that AWS sets for a zip package of a managed runtime
SET_BY_AWS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "PWD",
    "PYTHONPATH",
    "SHLVL",
    "TZ",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
}
# how the AWS clients of functions find this endpoint; AWS has no such variable
OURS = {"AWS_ENDPOINT_URL"}
# no shell starts the runtime there, and each environment has a folder that stands for /tmp
NOT_IN_PROCESS, ONLY_IN_PROCESS = {"SHLVL"}, {"TMPDIR"}


def test_variables(cloud: Cloud) -> None:
    """The set of names is AWS's, and nothing of this machine's leaks in (but for the certificates
    and proxies that the docker engine passes on, and says so)"""
    found = cloud.invoke("py", {"do": "variables"}).payload["variables"]
    expected_names = SET_BY_AWS | OURS
    if cloud.engine == "process":
        expected_names = expected_names - NOT_IN_PROCESS | ONLY_IN_PROCESS
    passed_on = {name for name, _ in EngineEnvironment.from_environ(os.environ).variables()}
    assert found.keys() - {"LC_CTYPE"} - passed_on == expected_names
    expected = {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192",
        "AWS_LAMBDA_FUNCTION_NAME": "py",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "Text",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/py",
        "AWS_REGION": "eu-west-1",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
    assert {name: found[name] for name in expected} == expected
    assert re.fullmatch(r"127\.0\.0\.1:\d+", found["AWS_LAMBDA_RUNTIME_API"])


def test_paths(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    if cloud.engine == "process":
        pytest.skip("the process engine has this machine's folders, and says so")
    answer = cloud.invoke("py", {"do": "variables"}).payload
    found = answer["variables"]
    assert answer["folder"] == found["PWD"] == found["LAMBDA_TASK_ROOT"] == "/var/task"
    assert found["LAMBDA_RUNTIME_DIR"] == found["PYTHONPATH"] == "/var/runtime"
    assert found["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert found["LD_LIBRARY_PATH"] == (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:"
        "/opt/lib"
    )
    assert found["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"


def test_variables_of_a_custom_runtime(cloud: Cloud) -> None:
    """`AWS_EXECUTION_ENV` is not there on `provided.*`"""
    names = cloud.invoke("shell", {"do": "variables"}).payload
    assert "AWS_EXECUTION_ENV" not in names
    assert {"_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_RUNTIME_API"} <= set(names)


def test_context(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""
    before_ms = time.time() * 1000
    answer = cloud.invoke("py", {"do": "context"})
    found = answer.payload
    assert found["memory"] == "192", "a string in Python"
    assert (found["version"], found["name"]) == ("$LATEST", "py")
    assert found["arn"] == "arn:aws:lambda:eu-west-1:000000000000:function:py"
    assert found["request"] == answer.request_id
    assert 20_000 - (time.time() * 1000 - before_ms) - 100 <= found["remaining"] <= 20_000
    assert (found["custom"], found["identity"]) == (None, None)


def test_client_context(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (X-Amz-Client-Context)"""
    given = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    assert cloud.invoke("py", {"do": "context"}, ClientContext=given).payload["custom"] == {
        "a": "b"
    }


def test_cognito_identity(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html (`identity`)"""
    identity = json.dumps({"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"})
    given = ("--cognito-identity", identity, "--client-context", '{"custom": {"c": "d"}}')
    found = cloud.project.invoke("py", {"do": "context"}, *given)["payload"]
    assert (found["identity"], found["custom"]) == ("id", {"c": "d"})
    refused = cloud.project.run("invoke", "py", "--client-context", "[]", "--json")
    assert (refused.code, refused.error["code"]) == (2, "context-invalid")


def test_a_trace_that_is_given(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader"""
    given = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    trace = _with_headers(cloud, X_Amzn_Trace_Id=given)["trace"]
    fields = dict(part.split("=") for part in trace.split(";"))
    assert fields["Root"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert fields["Sampled"] == "1"
    assert re.fullmatch("[0-9a-f]{16}", fields["Parent"])


def test_a_trace_of_its_own(cloud: Cloud) -> None:
    """As environments on AWS show it: not sampled where tracing is off, and with a lineage"""
    traces = [cloud.invoke("py", {"do": "context"}).payload["trace"] for _ in range(2)]
    pattern = (
        r"Root=1-([0-9a-f]{8})-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;"
        r"Lineage=\d:[0-9a-f]{8}:\d"
    )
    found = [re.fullmatch(pattern, trace) for trace in traces]
    assert all(found), traces
    assert traces[0] != traces[1]
    assert abs(int(found[0][1], 16) - time.time()) < 60 if found[0] else False


def _with_headers(cloud: Cloud, **headers: str) -> dict[str, Any]:
    with Caller(cloud.endpoint) as caller:
        answer = caller.invoke("py", json.dumps({"do": "context"}).encode(), **headers)
    assert answer.status == 200
    found: dict[str, Any] = answer.document
    return found


def test_user_and_folders(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: only `/tmp` can
    be written; recorded: `sbx_user1051`, which is 993"""
    if cloud.engine == "process":
        pytest.skip("functions of the process engine run as you do, and it says so")
    found = cloud.invoke("py", {"do": "user"}).payload
    assert found["uid"] == 993
    assert found["user"] == "sbx_user1051"
    assert found["refused"] == ["/var/task", "/opt", "/var/runtime", "/"]


def test_limits(cloud: Cloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    found = cloud.invoke("py", {"do": "limits"}).payload
    assert found["files"] == 1024
    if cloud.engine == "docker":
        assert found["tmp"] == 512 * 1024 * 1024
