"""How AWS's own clients are pointed at a daemon's endpoint.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from lambdash.errors import CallerError

# What would win over the keys below, or send a request elsewhere
DROPPED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


def aws_variables(told: Mapping[str, Any]) -> dict[str, str]:
    """Endpoint, region and keys, as the daemon told them (verb ``env``)."""
    return {
        "AWS_ENDPOINT_URL": str(told["endpoint"]),
        "AWS_REGION": str(told["region"]),
        "AWS_DEFAULT_REGION": str(told["region"]),
        "AWS_ACCESS_KEY_ID": str(told["access_key_id"]),
        "AWS_SECRET_ACCESS_KEY": str(told["secret_access_key"]),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run_aws(
    arguments: Sequence[str], told: Mapping[str, Any], environ: Mapping[str, str]
) -> NoReturn:
    """Become the installed AWS CLI. Raises ``CallerError`` (``aws-not-found``).

    The endpoint is an option too: version 1 of the AWS CLI sends SQS and a few others to hosts of
    its own list (`overridesslcommonname.py`), whatever ``AWS_ENDPOINT_URL`` says.
    """
    path = shutil.which("aws", path=environ.get("PATH"))
    if path is None:
        raise CallerError(
            "aws-not-found",
            "the AWS CLI is not installed, or not on PATH",
            "https://docs.aws.amazon.com/cli/ has it; `pip install awscli` does as well",
        )
    kept = {name: value for name, value in environ.items() if name not in DROPPED}
    sys.stdout.flush()
    endpoint = () if _names_an_endpoint(arguments) else ("--endpoint-url", str(told["endpoint"]))
    os.execve(path, [path, *endpoint, *arguments], {**kept, **aws_variables(told)})  # noqa: S606


def _names_an_endpoint(arguments: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == "--endpoint-url" for word in arguments)
