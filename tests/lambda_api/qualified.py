"""A function with a published version and an alias, made where the operations for that are not."""

from lambdash.emulator.registry.documents import new_revision_id
from tests.lambda_api.conftest import Endpoint

ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"


def with_alias(endpoint: Endpoint, alias: str = "live") -> None:
    """``hello`` has version 1, and the alias points to it."""
    emulator = endpoint.rig.emulator
    record = emulator.lifecycle.publish("hello")
    document = {
        "Name": alias,
        "FunctionVersion": record.version,
        "Description": "",
        "RevisionId": new_revision_id(),
    }
    emulator.registry.put_alias("hello", alias, document)
