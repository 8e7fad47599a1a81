"""CloudWatch's metrics of functions, from the journal.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/, and for what each metric
counts https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
"""

from lambdash.aws_gateway.cloudwatch.operations import OPERATIONS
from lambdash.aws_gateway.service import Service

CLOUDWATCH = Service(
    "cloudwatch",
    "CloudWatch",
    "monitoring",
    OPERATIONS,
    target_prefix="GraniteServiceVersion20100801.",
    missing={"PutMetricData": "Metrics come from invocations; no others are kept."},
)
