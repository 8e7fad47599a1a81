"""IAM's roles and their policies: stored and reported, never enforced.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/.
"""

from lambdash.aws_gateway.iam import policies, roles
from lambdash.aws_gateway.service import Service

_NO_POLICIES = (
    "Any policy's ARN can be attached to a role as it is; nothing is authorized by roles here."
)
IAM = Service(
    "iam",
    "IAM",
    "iam",
    {**roles.OPERATIONS, **policies.OPERATIONS},
    missing=dict.fromkeys(("CreatePolicy", "CreatePolicyVersion", "GetPolicy"), _NO_POLICIES),
)
