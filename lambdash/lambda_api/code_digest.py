"""``CodeSha256`` of what no one uploaded: the manifest's packages, zipped when somebody asks."""

import asyncio
import hashlib
import io
from dataclasses import replace
from typing import Any

from lambdash.emulator.emulator import Emulator
from lambdash.emulator.registry import VersionRecord
from lambdash.lambda_api.operation import Context
from lambdash.model import ZipPackage
from lambdash.packaging.zipping import write_zip
from lambdash.storage.archives import code_sha256


async def with_digest(context: Context, record: VersionRecord) -> VersionRecord:
    """The record with ``CodeSha256`` and ``CodeSize``, which are remembered once they are known."""
    deployed = record.deployed
    if "CodeSha256" in record.document or deployed is None:
        return record
    package = deployed.package
    if not isinstance(package, ZipPackage):
        return record
    facts = await asyncio.to_thread(_facts, context.emulator, package)
    now = context.registry.version(record.name, record.version) or record
    known = replace(now, document={**now.document, **facts})
    if now.deployed is not None and now.deployed.package == package:
        context.registry.put(known)
    return known


def _facts(emulator: Emulator, package: ZipPackage) -> dict[str, Any]:
    sink = _Digest()
    write_zip(emulator.workshop.store.tree_path(package), io.BufferedWriter(sink))
    return {"CodeSha256": code_sha256(sink.hexdigest()), "CodeSize": sink.size_bytes}


class _Digest(io.RawIOBase):
    """Takes bytes, keeps their digest and count."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self.size_bytes += len(data)
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
