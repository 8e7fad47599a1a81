"""What the API hands out URLs of: the archives of functions, as they were uploaded.

On AWS these are presigned S3 URLs, which whoever has one can read for ten minutes.
"""

import asyncio
import re
from functools import partial
from pathlib import Path

from lambdash.emulator.emulator import Emulator
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import caller_fault, refuse
from lambdash.lambda_api.function_code import CODE_PREFIX
from lambdash.model import ZipPackage
from lambdash.packaging.zipping import write_zip
from lambdash.storage.archives import code_sha256

_CODE = re.compile(re.escape(CODE_PREFIX) + r"([0-9a-f]{64})\.zip")
_BLOCK_BYTES = 1024 * 1024


def is_download(request: Request) -> bool:
    """Whether the request is for a URL that this module answers."""
    return request.path.startswith(CODE_PREFIX)


async def download(emulator: Emulator, request: Request, responder: Responder) -> None:
    """Stream the archive, as fast as the peer takes it."""
    found = _CODE.fullmatch(request.path)
    path = None
    if found is not None and request.method == "GET":
        path = await asyncio.to_thread(_archive, emulator, found[1])
    if path is None:
        fault = caller_fault("ResourceNotFoundException", "There is no such archive.")
        refuse(responder, emulator.new_request_id(), 404, fault)
        return
    with await asyncio.to_thread(path.open, "rb") as file:
        responder.start(200, ((b"content-type", b"application/zip"),))
        while block := await asyncio.to_thread(file.read, _BLOCK_BYTES):
            responder.write(block)
            await responder.drain()
            if not responder.is_open:
                return
        responder.end()


def _archive(emulator: Emulator, sha256: str) -> Path | None:
    """The archive's file; that of a manifest's package is made when it is first asked for."""
    path = emulator.archives.path(sha256)
    if not path.is_file():
        tree = _tree(emulator, code_sha256(sha256))
        if tree is None:
            return None
        emulator.archives.make(sha256, partial(write_zip, tree))
    return path


def _tree(emulator: Emulator, digest: str) -> Path | None:
    for entry in tuple(emulator.registry.functions.values()):
        for record in tuple(entry.versions.values()):
            package = None if record.deployed is None else record.deployed.package
            if record.document.get("CodeSha256") == digest and isinstance(package, ZipPackage):
                return emulator.workshop.store.tree_path(package)
    return None
