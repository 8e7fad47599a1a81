"""Ids of IAM's entities, which STS tells as well."""

import hashlib


def unique_id(prefix: str, arn: str) -> str:
    """An id in AWS's form, the same for the same ARN."""
    return prefix + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
