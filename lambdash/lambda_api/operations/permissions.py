"""AddPermission, RemovePermission, GetPolicy: a function's resource policy, per qualifier."""

import re
from collections.abc import Sequence

from lambdash.lambda_api.errors import invalid, not_found
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.policies import (
    Statement,
    added,
    policy_text,
    removed,
    statement_of,
    statement_text,
)
from lambdash.lambda_api.references import (
    Reference,
    arn_of,
    existing_qualifier,
    function_not_found,
    reference,
)
from lambdash.lambda_api.revision_ids import changed, precondition_failed, revision_id
from lambdash.model.arn import LATEST

_KIND = "policy"
_NOT_CHECKED = "policies are kept, nothing is authorized by them"
_ALIAS = re.compile(r"[a-zA-Z0-9-_]+", re.ASCII)


@operation("AddPermission", stored={"Principal": _NOT_CHECKED})
def add_permission(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html."""
    asked = reference(context, parameters)
    if asked.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    if asked.name not in context.registry.functions:
        raise function_not_found(context, asked)
    qualifier = _existing(context, asked)
    _require(context, asked.name, qualifier, parameters)
    statement = statement_of(parameters, arn_of(context, asked.name, asked.qualifier))
    _keep(context, asked.name, qualifier, added(_statements(context, asked), statement))
    return {"Statement": statement_text(statement)}


@operation("RemovePermission")
def remove_permission(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html."""
    asked = reference(context, parameters)
    if asked.name not in context.registry.functions:
        raise not_found(f"No policy found for: {arn_of(context, asked.name, asked.qualifier)}")
    qualifier = _existing(context, asked)
    statements = _statements(context, asked)
    if not statements:
        raise not_found("No policy is associated with the given resource.")
    rest = removed(statements, parameters["StatementId"])
    _require(context, asked.name, qualifier, parameters)
    _keep(context, asked.name, qualifier, rest)
    return {}


@operation("GetPolicy")
def get_policy(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html."""
    asked = reference(context, parameters)
    statements = _statements(context, asked)
    if not statements:
        raise not_found("The resource you requested does not exist.")
    revision = revision_id(context, asked.name, asked.qualifier or LATEST)
    return {"Policy": policy_text(statements), "RevisionId": revision}


def _existing(context: Context, asked: Reference) -> str:
    """The qualifier; what could be no alias's name is missed as a version is."""
    if asked.qualifier is not None and not _ALIAS.fullmatch(asked.qualifier):
        raise function_not_found(context, asked)
    return existing_qualifier(context, asked)


def _statements(context: Context, asked: Reference) -> Sequence[Statement]:
    kept = context.registry.setting(_KIND, asked.name, asked.qualifier or LATEST)
    statements: Sequence[Statement] = () if kept is None else kept["Statement"]
    return statements


def _require(context: Context, name: str, qualifier: str, parameters: Parameters) -> None:
    given = parameters.get("RevisionId")
    if given is not None and given != revision_id(context, name, qualifier):
        raise precondition_failed("GetPolicy")


def _keep(context: Context, name: str, qualifier: str, statements: Sequence[Statement]) -> None:
    if statements:
        context.registry.put_setting(_KIND, name, {"Statement": list(statements)}, qualifier)
    else:
        context.registry.remove_setting(_KIND, name, qualifier)
    changed(context, name, qualifier)
