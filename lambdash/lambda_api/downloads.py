"""What the API hands out URLs of: the archives of functions, as they were uploaded.

On AWS these are presigned S3 URLs, which whoever has one can read for ten minutes.
"""

import asyncio
import re

from lambdash.emulator.emulator import Emulator
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import caller_fault, refuse
from lambdash.lambda_api.function_code import CODE_PREFIX

_CODE = re.compile(re.escape(CODE_PREFIX) + r"([0-9a-f]{64})\.zip")
_BLOCK_BYTES = 1024 * 1024


def is_download(request: Request) -> bool:
    """Whether the request is for a URL that this module answers."""
    return request.path.startswith(CODE_PREFIX)


async def download(emulator: Emulator, request: Request, responder: Responder) -> None:
    """Stream the archive, as fast as the peer takes it."""
    found = _CODE.fullmatch(request.path)
    path = None if found is None else emulator.archives.path(found[1])
    if path is None or request.method != "GET" or not await asyncio.to_thread(path.is_file):
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
