"""Function names as callers write them: bare, qualified, partial or full ARN."""

import re
from dataclasses import dataclass

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName, Qualifier)
_REFERENCE = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)
LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """A function's name, and what else of its ARN was given: version or alias, region, account."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account_id: str | None = None


def parse_reference(text: str) -> FunctionReference | None:
    """``hello``, ``hello:prod``, ``000000000000:function:hello`` or a full ARN; else None."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    return FunctionReference(found["name"], found["qualifier"], found["region"], found["account"])


def pool_key(name: str, version: str) -> str:
    """What the pool routes by: the function's name for ``$LATEST``, ``name:3`` for version 3."""
    return name if version == LATEST else f"{name}:{version}"
