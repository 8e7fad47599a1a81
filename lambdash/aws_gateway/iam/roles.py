"""IAM's operations on roles and their tags."""

from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.iam import stored
from lambdash.aws_gateway.service import Call, Operation
from lambdash.aws_gateway.unique_ids import unique_id

_SESSION_S = 3600


async def create_role(call: Call) -> dict[str, Any]:
    """``CreateRole``: names differ by more than case."""
    name, path = call.text("RoleName"), call.text("Path", "/")
    if name.lower() in (known.lower() for known in stored.all_roles(call)):
        message = f"Role with name {name} already exists."
        raise AwsError("EntityAlreadyExists", message, 409)
    if len(stored.all_roles(call)) >= limits.IAM_ROLES_MAX:
        raise stored.over_quota("RolesPerAccount", limits.IAM_ROLES_MAX)
    arn = f"arn:aws:iam::{call.account}:role{path}{name}"
    role = {
        "Path": path,
        "RoleName": name,
        "RoleId": unique_id("AROA", arn),
        "Arn": arn,
        "CreateDate": call.clock.epoch(),
        "AssumeRolePolicyDocument": _trust(call, "AssumeRolePolicyDocument"),
        "MaxSessionDuration": call.parameters.get("MaxSessionDuration", _SESSION_S),
        "Tags": stored.tagged({}, call.parameters.get("Tags", ())),
        "Policies": {},
        "Attached": [],
    }
    if "Description" in call.parameters:
        role["Description"] = call.text("Description")
    if "PermissionsBoundary" in call.parameters:
        role["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": call.text("PermissionsBoundary"),
        }
    stored.save(call, role)
    return {"Role": stored.shown(role)}


async def get_role(call: Call) -> dict[str, Any]:
    """``GetRole``."""
    return {"Role": stored.shown(stored.role_of(call))}


async def list_roles(call: Call) -> dict[str, Any]:
    """``ListRoles``, by name."""
    prefix = call.text("PathPrefix", "/")
    roles = [role for _, role in sorted(stored.all_roles(call).items())]
    found = [stored.listed(role) for role in roles if role["Path"].startswith(prefix)]
    return stored.page(call, "Roles", found)


async def update_role(call: Call) -> dict[str, Any]:
    """``UpdateRole``."""
    role = stored.role_of(call)
    for name in ("Description", "MaxSessionDuration"):
        if name in call.parameters:
            role[name] = call.parameters[name]
    stored.save(call, role)
    return {}


async def update_assume_role_policy(call: Call) -> dict[str, Any]:
    """``UpdateAssumeRolePolicy``."""
    role = stored.role_of(call)
    stored.save(call, {**role, "AssumeRolePolicyDocument": _trust(call, "PolicyDocument")})
    return {}


async def delete_role(call: Call) -> dict[str, Any]:
    """``DeleteRole``: not while it has policies."""
    role = stored.role_of(call)
    if role["Attached"]:
        raise _conflict("must detach all policies first.")
    if role["Policies"]:
        raise _conflict("must delete policies first.")
    stored.remove(call, role)
    return {}


async def tag_role(call: Call) -> dict[str, Any]:
    """``TagRole``."""
    role = stored.role_of(call)
    stored.save(call, {**role, "Tags": stored.tagged(role["Tags"], call.parameters["Tags"])})
    return {}


async def untag_role(call: Call) -> dict[str, Any]:
    """``UntagRole``; what is not there is no error."""
    role = stored.role_of(call)
    gone = set(call.parameters["TagKeys"])
    kept = {key: value for key, value in role["Tags"].items() if key not in gone}
    stored.save(call, {**role, "Tags": kept})
    return {}


async def list_role_tags(call: Call) -> dict[str, Any]:
    """``ListRoleTags``."""
    return stored.page(call, "Tags", stored.tag_list(stored.role_of(call)["Tags"]))


async def list_instance_profiles_for_role(call: Call) -> dict[str, Any]:
    """``ListInstanceProfilesForRole``: there is no EC2, so none; asked before a role is deleted."""
    stored.role_of(call)
    return stored.page(call, "InstanceProfiles", ())


def _trust(call: Call, member: str) -> str:
    document = call.text(member)
    stored.check_policy(document, is_trust=True)
    if len(document) > limits.IAM_TRUST_POLICY_MAX_CHARS:
        raise stored.over_quota("ACLSizePerRole", limits.IAM_TRUST_POLICY_MAX_CHARS)
    return document


def _conflict(reason: str) -> AwsError:
    return AwsError("DeleteConflict", f"Cannot delete entity, {reason}", 409)


OPERATIONS: Mapping[str, Operation] = {
    "CreateRole": create_role,
    "DeleteRole": delete_role,
    "GetRole": get_role,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
    "ListRoleTags": list_role_tags,
    "ListRoles": list_roles,
    "TagRole": tag_role,
    "UntagRole": untag_role,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "UpdateRole": update_role,
}
