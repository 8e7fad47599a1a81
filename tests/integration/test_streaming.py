"""A streamed response of AWS's largest size, on both engines: in pieces, and never held whole."""

import json
import re
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lambdash import limits
from lambdash.engines.images.runtimes import find_interpreter
from tests.integration.conftest import Begin
from tests.integration.project import Project
from tests.integration.shell import SETTINGS

pytestmark = pytest.mark.shared
# of the daemon, beside a response of 200 MiB
GROWTH_MAX_BYTES = 24 * limits.MIB
_BOOTSTRAP = r"""#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while got=$(curl -sfi "$api/next" | tr -d '\r') && [ -n "$got" ]; do
  id=$(echo "$got" | sed -n 's/^lambda-runtime-aws-request-id: *//Ip')
  { echo first; head -c 209715194 /dev/zero; } |
    curl -sf -X POST -T - -H "Lambda-Runtime-Function-Response-Mode: streaming" \
      -H "Content-Type: application/octet-stream" "$api/$id/response" >&2
done
"""


def peak_bytes(pid: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found is not None
    return int(found[1]) * 1024


def client(endpoint: str) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=60),
    )


def test_two_hundred_megabytes(project: Project) -> None:
    project.describe({"large": {**SETTINGS, "timeout": 120}})
    project.write({"large/bootstrap": _BOOTSTRAP})
    (project.folder / "large" / "bootstrap").chmod(0o755)
    project.succeed("deploy")
    status = project.status()
    aws = client(status["endpoint"])
    aws.invoke(FunctionName="large", InvocationType="DryRun")
    before = peak_bytes(status["pid"], "VmHWM")

    began = time.monotonic()
    events = aws.invoke_with_response_stream(FunctionName="large")["EventStream"]
    size, first_s, completed = 0, 0.0, None
    for event in events:
        if "PayloadChunk" in event:
            piece = event["PayloadChunk"]["Payload"]
            if not size:
                assert piece.startswith(b"first\n")
                first_s = time.monotonic() - began
            size += len(piece)
        else:
            completed = event["InvokeComplete"]
    took_s = time.monotonic() - began

    assert (size, completed) == (limits.RESPONSE_STREAM_MAX_BYTES, {})
    grown = peak_bytes(status["pid"], "VmHWM") - before
    figures = f"first {first_s:.3f} s, all {took_s:.1f} s, {grown / limits.MIB:.1f} MiB more"
    assert first_s < took_s / 2, figures
    assert grown < GROWTH_MAX_BYTES, figures


_NODE = """export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/plain");
  stream.write("one ");
  await new Promise((done) => setTimeout(done, 50));
  if (event.fail) throw new TypeError("asked to");
  stream.write("two");
  stream.end();
});
"""


@pytest.mark.docker
def test_the_official_node_client_streams(begin: Begin, docker_engine: None) -> None:
    known = ("nodejs20.x", "nodejs22.x", "nodejs24.x")
    runtimes = [name for name in known if find_interpreter(name) is not None]
    if not runtimes:
        pytest.skip("this machine has no Node that AWS Lambda offers")
    with begin("docker") as project:
        project.describe({"node": {"runtime": runtimes[0], "handler": "index.handler"}})
        project.write({"node/index.mjs": _NODE})
        project.succeed("deploy")
        aws = client(project.status()["endpoint"])

        assert read(aws, b"{}") == (b"one two", {})
        payload, completed = read(aws, b'{"fail":true}')
        assert (payload, completed["ErrorCode"]) == (b"one ", "Unhandled")
        details = json.loads(completed["ErrorDetails"])
        assert (details["errorType"], details["errorMessage"]) == ("TypeError", "asked to")
        # whoever does not stream gets it whole
        assert project.run("invoke", "node").stdout == b"one two"


def read(aws: Any, payload: bytes) -> tuple[bytes, dict[str, Any]]:
    """A streamed answer, and how it was completed."""
    answer = aws.invoke_with_response_stream(FunctionName="node", Payload=payload)
    events = list(answer["EventStream"])
    pieces = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    return b"".join(pieces), events[-1]["InvokeComplete"]
