"""The page ``docs/lambda-api.md``: ``python -m lambdash.lambda_api.documentation`` prints it."""

import sys
from collections.abc import Iterator, Mapping

from lambdash.lambda_api.operation import Operation, operations
from lambdash.lambda_api.service_model import service_model
from lambdash.lambda_api.unsupported import UNSUPPORTED

# Served by modules of their own, beside the framework
_APART = ("Invoke", "InvokeWithResponseStream")
_HEAD = """\
# The Lambda API

Made from the code by `python -m lambdash.lambda_api.documentation`; a test compares the two.

boto3, the AWS CLI and infrastructure tools reach it at the endpoint that `lambdash status` prints.
Requests are checked against the service model that botocore ships, with AWS's own messages. Of an
operation that is there, each member is enforced, unless it stands here as *stored* (kept and
reported; the note says what it does not do) or *refused* (by name, with
`InvalidParameterValueException`). An operation that is not there answers 501
`NotImplementedException` and names itself.

| operation | state | members stored | members refused |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    known = operations()
    names = {*known, *_APART, *UNSUPPORTED, *service_model().operation_names}
    return _HEAD + "".join(f"{row}\n" for row in _rows(sorted(names), known))


def _rows(names: list[str], known: Mapping[str, Operation]) -> Iterator[str]:
    for name in names:
        operation = known.get(name)
        if operation is not None:
            stored, refused = _listed(operation.stored), _listed(operation.refused)
            yield f"| {name} | supported | {stored} | {refused} |"
        elif name in _APART:
            yield f"| {name} | supported | | |"
        else:
            yield f"| {name} | {UNSUPPORTED.get(name, 'not supported yet')} | | |"


def _listed(members: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({note})" for name, note in sorted(members.items()))


if __name__ == "__main__":
    sys.stdout.write(page())
