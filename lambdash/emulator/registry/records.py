"""One version of a function as AWS keeps it, and how it is written down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdash.model.arn import LATEST
from lambdash.storage.functions import DeployedFunction, Origin, decoded, encoded

__all__ = ["Document", "Origin", "VersionRecord", "from_json", "to_json"]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """``$LATEST`` or a published version.

    ``document`` has the members of AWS's ``FunctionConfiguration`` that cannot be derived: all but
    names, ARNs and ``Version``. https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    ``deployed`` is what runs; None as long as there is no package.
    """

    name: str
    version: str
    document: Document
    deployed: DeployedFunction | None = None

    @property
    def origin(self) -> Origin:
        """Who made it."""
        return Origin.API if self.deployed is None else self.deployed.origin

    @property
    def is_latest(self) -> bool:
        return self.version == LATEST


def to_json(record: VersionRecord) -> str:
    """What ``from_json`` reads back as an equal value."""
    deployed = None if record.deployed is None else encoded(record.deployed)
    return json.dumps(
        {
            "name": record.name,
            "version": record.version,
            "document": record.document,
            "deployed": deployed,
        }
    )


def from_json(text: str) -> VersionRecord | None:
    """None for a record of an older format: its function is deployed anew."""
    fields = json.loads(text)
    deployed = fields["deployed"]
    if deployed is not None:
        deployed = decoded(deployed)
        if deployed is None:
            return None
    return VersionRecord(fields["name"], fields["version"], fields["document"], deployed)
