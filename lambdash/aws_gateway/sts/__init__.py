"""STS: who is asking, and credentials that are plainly local.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/.
"""

from lambdash.aws_gateway.service import Service
from lambdash.aws_gateway.sts.operations import OPERATIONS

STS = Service("sts", "STS", "sts", OPERATIONS)
