"""CloudWatch Logs, to be read: the logs of invocations as AWS's clients see them.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/.
"""

from lambdash.aws_gateway.logs import describing, events
from lambdash.aws_gateway.service import Service

_WRITTEN_BY = "Log groups and streams come from invocations; nothing else writes to them."
LOGS = Service(
    "logs",
    "CloudWatch Logs",
    "logs",
    {**describing.OPERATIONS, **events.OPERATIONS},
    target_prefix="Logs_20140328.",
    invalid="InvalidParameterException",
    missing={
        "CreateLogGroup": _WRITTEN_BY,
        "CreateLogStream": _WRITTEN_BY,
        "PutLogEvents": _WRITTEN_BY,
        "PutRetentionPolicy": "The journal of a project is bounded by its size, not by age.",
    },
)
