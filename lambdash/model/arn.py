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
    """A function's name, and the version or alias that was asked for, if any was."""

    name: str
    qualifier: str | None = None


def parse_reference(text: str) -> FunctionReference | None:
    """``hello``, ``hello:prod``, ``000000000000:function:hello`` or a full ARN; else None."""
    found = _REFERENCE.fullmatch(text)
    return None if found is None else FunctionReference(found["name"], found["qualifier"])
