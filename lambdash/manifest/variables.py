"""Environment variables as AWS accepts them.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import json
import re
from collections.abc import Mapping

from lambdash.manifest.parts import VARIABLE_PATTERN

RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)

_NAME = re.compile(VARIABLE_PATTERN)


def fault(name: str) -> tuple[str, str, str] | None:
    """Why AWS would refuse a variable of this name, as (code, what is wrong, hint); or None."""
    if name in RESERVED:
        return "reserved-variable", "is reserved by AWS Lambda", _instead(name)
    if not _NAME.fullmatch(name):
        return (
            "bad-variable-name",
            "is not a variable name AWS accepts",
            "use a letter first, then letters, digits and `_`, two characters or more",
        )
    return None


def measured_bytes(variables: Mapping[str, str]) -> int:
    """The size AWS holds against its 4 KB: the variables as compact JSON."""
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())


def _instead(name: str) -> str:
    if name in {"AWS_REGION", "AWS_DEFAULT_REGION"}:
        return "set `region` at the top of the manifest"
    if name == "_HANDLER":
        return "set `handler`"
    if name == "AWS_LAMBDA_FUNCTION_MEMORY_SIZE":
        return "set `memory_size`"
    return "remove it; it is set for every function"
