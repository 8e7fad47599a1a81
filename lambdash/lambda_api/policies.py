"""Resource policies: the statements that permissions are kept as.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.lambda_api.errors import conflict, invalid, not_found
from lambdash.lambda_api.operation import Parameters

Statement = Mapping[str, Any]

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_IDENTITY = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::\d{12}:.+", re.ASCII)
_SERVICE = re.compile(
    r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)", re.ASCII
)


def principal_of(principal: str) -> str | dict[str, str]:
    """As a policy names it: everyone, an account, an identity, a service.

    Raises ``InvalidParameterValueException`` for what is none of them.
    """
    if principal == "*":
        return principal
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if _IDENTITY.fullmatch(principal):
        return {"AWS": principal}
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def statement_of(parameters: Parameters, resource: str) -> dict[str, Any]:
    """The statement that AddPermission, or AddLayerVersionPermission, adds for the resource."""
    statement: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": principal_of(parameters["Principal"]),
        "Action": parameters["Action"],
        "Resource": resource,
    }
    condition = _condition(parameters)
    return {**statement, "Condition": condition} if condition else statement


def _condition(parameters: Parameters) -> dict[str, dict[str, str]]:
    equals = {
        key: parameters[member]
        for member, key in (
            ("SourceAccount", "AWS:SourceAccount"),
            ("EventSourceToken", "lambda:EventSourceToken"),
            ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"),
            ("OrganizationId", "aws:PrincipalOrgID"),
        )
        if parameters.get(member) is not None
    }
    condition: dict[str, dict[str, str]] = {"StringEquals": equals} if equals else {}
    if parameters.get("InvokedViaFunctionUrl") is not None:
        via = "true" if parameters["InvokedViaFunctionUrl"] else "false"
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": via}
    if parameters.get("SourceArn") is not None:
        condition["ArnLike"] = {"AWS:SourceArn": parameters["SourceArn"]}
    return condition


def added(statements: Sequence[Statement], statement: Statement) -> list[Statement]:
    """With one more. Raises ``ResourceConflictException`` where its id is taken."""
    if any(one["Sid"] == statement["Sid"] for one in statements):
        raise conflict(
            f"The statement id ({statement['Sid']}) provided already exists. Please provide a "
            "new statement id, or remove the existing statement."
        )
    return [*statements, statement]


def removed(statements: Sequence[Statement], sid: str) -> list[Statement]:
    """Without the one of that id. Raises ``ResourceNotFoundException``."""
    rest = [one for one in statements if one["Sid"] != sid]
    if len(rest) == len(statements):
        raise not_found(f"Statement {sid} is not found in resource policy.")
    return rest


def policy_text(statements: Sequence[Statement]) -> str:
    """The policy as the API hands it out."""
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)}
    return json.dumps(policy, separators=(",", ":"))


def statement_text(statement: Statement) -> str:
    """One statement as the API hands it out."""
    return json.dumps(statement, separators=(",", ":"))
