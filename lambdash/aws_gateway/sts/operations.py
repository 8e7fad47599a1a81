"""STS's operations. Nothing is authorized by what they hand out."""

import re
from collections.abc import Mapping
from typing import Any

from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.service import Call, Operation
from lambdash.aws_gateway.unique_ids import unique_id

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:.+/)?(?P<name>[\w+=,.@-]+)")
_HOUR_S = 3600
_SESSION_S = 12 * _HOUR_S


async def get_caller_identity(call: Call) -> dict[str, Any]:
    """``GetCallerIdentity``: whatever keys were used, the account's root."""
    arn = f"arn:aws:iam::{call.account}:root"
    return {"UserId": call.account, "Account": call.account, "Arn": arn}


async def get_session_token(call: Call) -> dict[str, Any]:
    """``GetSessionToken``."""
    return {"Credentials": _credentials(call, _SESSION_S)}


async def assume_role(call: Call) -> dict[str, Any]:
    """``AssumeRole``: of any role by its ARN; the role need not be there, nor trust anybody."""
    arn, session = call.text("RoleArn"), call.text("RoleSessionName")
    found = _ROLE.fullmatch(arn)
    if found is None:
        raise AwsError("ValidationError", f"{arn} is invalid")
    account, name = found["account"], found["name"]
    role_id = unique_id("AROA", arn)
    return {
        "Credentials": _credentials(call, _HOUR_S),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{role_id}:{session}",
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        },
    }


def _credentials(call: Call, default_s: int) -> dict[str, Any]:
    lifetime_s = call.parameters.get("DurationSeconds", default_s)
    return {
        "AccessKeyId": "ASIALAMBDASHLOCAL000",
        "SecretAccessKey": "lambdash-local-credentials-open-nothing",
        "SessionToken": "lambdash-local-session",
        "Expiration": call.clock.epoch() + lifetime_s,
    }


OPERATIONS: Mapping[str, Operation] = {
    "AssumeRole": assume_role,
    "GetCallerIdentity": get_caller_identity,
    "GetSessionToken": get_session_token,
}
