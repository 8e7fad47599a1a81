"""A streamed response of AWS's largest size, on both engines: in pieces, and never held whole."""

import re
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lambdash import limits
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


def test_two_hundred_megabytes(project: Project) -> None:
    project.describe({"large": {**SETTINGS, "timeout": 120}})
    project.write({"large/bootstrap": _BOOTSTRAP})
    (project.folder / "large" / "bootstrap").chmod(0o755)
    project.succeed("deploy")
    status = project.status()
    aws: Any = boto3.client(
        "lambda",
        endpoint_url=status["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=60),
    )
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
