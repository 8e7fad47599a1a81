"""Roles as they lie in the registry, and what AWS refuses of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lambdash import limits
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.service import Call

_KIND = "iam-role"
# what is told elsewhere, by operations of its own
_INWARD = ("Policies", "Attached")
_NOT_LISTED = ("PermissionsBoundary", "Tags")


def no_such_entity(message: str) -> AwsError:
    """Something is not there."""
    return AwsError("NoSuchEntity", message, 404)


def over_quota(quota: str, most: int) -> AwsError:
    """One more than AWS lets anybody have."""
    return AwsError("LimitExceeded", f"Cannot exceed quota for {quota}: {most}", 409)


def all_roles(call: Call) -> Mapping[str, Mapping[str, Any]]:
    """By name."""
    return call.emulator.registry.objects(_KIND)


def role_of(call: Call) -> dict[str, Any]:
    """The role that ``RoleName`` means. Raises ``AwsError``."""
    name = call.text("RoleName")
    found = all_roles(call).get(name)
    if found is None:
        raise no_such_entity(f"The role with name {name} cannot be found.")
    return dict(found)


def save(call: Call, role: Mapping[str, Any]) -> None:
    """Put a role in place of the one of its name."""
    call.emulator.registry.put_object(_KIND, role["RoleName"], dict(role))


def remove(call: Call, role: Mapping[str, Any]) -> None:
    """Forget it."""
    call.emulator.registry.remove_object(_KIND, role["RoleName"])


def shown(role: Mapping[str, Any]) -> dict[str, Any]:
    """A role as AWS tells it: documents are percent-encoded, tags a list."""
    found = {name: value for name, value in role.items() if name not in _INWARD}
    found["AssumeRolePolicyDocument"] = encoded(role["AssumeRolePolicyDocument"])
    found["Tags"] = tag_list(role["Tags"])
    return found


def listed(role: Mapping[str, Any]) -> dict[str, Any]:
    """A role as lists tell it, which leave some of it out."""
    return {name: value for name, value in shown(role).items() if name not in _NOT_LISTED}


def encoded(document: str) -> str:
    """A policy document as answers hold it."""
    return quote(document, safe="-_.~")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS tells them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tagged(old: Mapping[str, str], given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags with those given. Raises ``AwsError`` for doubles and too many."""
    if len({tag["Key"].lower() for tag in given}) < len(given):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise AwsError("InvalidInput", message)
    found = {**old, **{tag["Key"]: tag["Value"] for tag in given}}
    if len(found) > limits.IAM_TAGS_PER_ROLE_MAX:
        raise over_quota("TagsPerRole", limits.IAM_TAGS_PER_ROLE_MAX)
    return found


def check_policy(text: str, *, is_trust: bool = False) -> None:
    """Raise ``AwsError`` for what is no policy; one of trust names principals, no resources."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed("This policy contains invalid Json") from error
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise _malformed("Syntax errors in policy.")
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise _malformed("Syntax errors in policy.")
        if is_trust and ("Resource" in statement or "NotResource" in statement):
            raise _malformed("Has prohibited field Resource")


def page(call: Call, member: str, items: Sequence[Any]) -> dict[str, Any]:
    """At most ``MaxItems``; the marker of the next page is the number of items before it."""
    marker = call.text("Marker", "0")
    if not marker.isdecimal():
        raise AwsError("InvalidInput", "Invalid Marker.")
    start = int(marker)
    end = start + call.parameters.get("MaxItems", limits.IAM_LIST_ITEMS)
    found: dict[str, Any] = {member: list(items[start:end]), "IsTruncated": end < len(items)}
    if end < len(items):
        found["Marker"] = str(end)
    return found


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)
