"""IAM's operations on the policies of roles: inline ones, and those attached by ARN."""

import re
from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.iam import stored
from lambdash.aws_gateway.service import Call, Operation

_POLICY_ARN = re.compile(
    r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy(?P<path>/(?:.*/)?)(?P<name>[^/]+)"
)


async def put_role_policy(call: Call) -> dict[str, Any]:
    """``PutRolePolicy``: an inline policy, new or in place of the one of its name."""
    role, document = stored.role_of(call), call.text("PolicyDocument")
    stored.check_policy(document)
    policies = {**role["Policies"], call.text("PolicyName"): document}
    most = limits.IAM_INLINE_POLICIES_MAX_CHARS
    if sum(map(len, policies.values())) > most:
        message = f"Maximum policy size of {most} bytes exceeded for role {role['RoleName']}"
        raise AwsError("LimitExceeded", message, 409)
    stored.save(call, {**role, "Policies": policies})
    return {}


async def get_role_policy(call: Call) -> dict[str, Any]:
    """``GetRolePolicy``."""
    role, name = _inline(call)
    document = stored.encoded(role["Policies"][name])
    return {"RoleName": role["RoleName"], "PolicyName": name, "PolicyDocument": document}


async def delete_role_policy(call: Call) -> dict[str, Any]:
    """``DeleteRolePolicy``."""
    role, gone = _inline(call)
    kept = {name: document for name, document in role["Policies"].items() if name != gone}
    stored.save(call, {**role, "Policies": kept})
    return {}


async def list_role_policies(call: Call) -> dict[str, Any]:
    """``ListRolePolicies``: the names of inline ones."""
    return stored.page(call, "PolicyNames", sorted(stored.role_of(call)["Policies"]))


async def attach_role_policy(call: Call) -> dict[str, Any]:
    """``AttachRolePolicy``: any policy's ARN; the same again is no error."""
    role, arn = stored.role_of(call), call.text("PolicyArn")
    if _POLICY_ARN.fullmatch(arn) is None:
        raise AwsError("InvalidInput", f"ARN {arn} is not valid.")
    attached = [*(one for one in role["Attached"] if one != arn), arn]
    if len(attached) > limits.IAM_ATTACHED_POLICIES_PER_ROLE_MAX:
        raise stored.over_quota("PoliciesPerRole", limits.IAM_ATTACHED_POLICIES_PER_ROLE_MAX)
    stored.save(call, {**role, "Attached": attached})
    return {}


async def detach_role_policy(call: Call) -> dict[str, Any]:
    """``DetachRolePolicy``."""
    role, arn = stored.role_of(call), call.text("PolicyArn")
    if arn not in role["Attached"]:
        raise stored.no_such_entity(f"Policy {arn} was not found.")
    stored.save(call, {**role, "Attached": [one for one in role["Attached"] if one != arn]})
    return {}


async def list_attached_role_policies(call: Call) -> dict[str, Any]:
    """``ListAttachedRolePolicies``."""
    prefix = call.text("PathPrefix", "/")
    found = []
    for arn in stored.role_of(call)["Attached"]:
        parts = _POLICY_ARN.fullmatch(arn)
        assert parts is not None
        if parts["path"].startswith(prefix):
            found.append({"PolicyName": parts["name"], "PolicyArn": arn})
    return stored.page(call, "AttachedPolicies", found)


def _inline(call: Call) -> tuple[dict[str, Any], str]:
    role, name = stored.role_of(call), call.text("PolicyName")
    if name not in role["Policies"]:
        raise stored.no_such_entity(f"The role policy with name {name} cannot be found.")
    return role, name


OPERATIONS: Mapping[str, Operation] = {
    "AttachRolePolicy": attach_role_policy,
    "DeleteRolePolicy": delete_role_policy,
    "DetachRolePolicy": detach_role_policy,
    "GetRolePolicy": get_role_policy,
    "ListAttachedRolePolicies": list_attached_role_policies,
    "ListRolePolicies": list_role_policies,
    "PutRolePolicy": put_role_policy,
}
