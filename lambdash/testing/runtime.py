"""A runtime in memory: asks for invocations over the real Runtime API, answers from a function."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from lambdash.engines.protocol import SandboxExit

Handler: TypeAlias = Callable[[Any], Awaitable[Any]]
_API = "/2018-06-01/runtime"


class Crash(Exception):
    """Raised by a handler: the runtime process ends, with this exit code or signal."""

    def __init__(self, exit_code: int | None = None, signal: int | None = None) -> None:
        super().__init__(exit_code, signal)
        self.exit = SandboxExit(exit_code=exit_code, signal=signal)


class Hang(Exception):
    """Raised by a handler: it never answers."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a handler returns to answer in pieces; trailers tell of an error amid them."""

    pieces: AsyncIterator[bytes]
    content_type: str = "application/octet-stream"
    error_type: str = ""
    error_body: bytes = b""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class FakeRuntime:
    """One runtime process. ``run`` returns how it ended; it ends quietly when it is cut off."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def run(self, handler: Handler) -> SandboxExit:
        """Poll, handle, answer, until the handler crashes or the connection is cut."""
        try:
            while True:
                invocation = await self._request("GET", f"{_API}/invocation/next")
                request_id = invocation.headers["lambda-runtime-aws-request-id"]
                await self._handle(handler, request_id, json.loads(invocation.body))
        except Crash as crash:
            return crash.exit
        except (asyncio.IncompleteReadError, ConnectionError):
            return SandboxExit(exit_code=0)
        finally:
            self.close()

    def close(self) -> None:
        """Cut the connection, as the end of a process does."""
        self._writer.close()

    async def _handle(self, handler: Handler, request_id: str, event: Any) -> None:
        path = f"{_API}/invocation/{request_id}"
        try:
            result = await handler(event)
        except Crash:
            raise
        except Hang:
            await asyncio.get_running_loop().create_future()
        except Exception as error:
            document = {"errorMessage": str(error), "errorType": type(error).__name__}
            await self._request("POST", f"{path}/error", json.dumps(document).encode())
        else:
            if isinstance(result, Streamed):
                await self._stream(f"{path}/response", result)
            else:
                await self._request("POST", f"{path}/response", json.dumps(result).encode())

    async def _stream(self, path: str, streamed: Streamed) -> _Answer:
        """Post a response in streaming mode, as the official clients do."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: runtime\r\nTransfer-Encoding: chunked\r\n"
            f"Content-Type: {streamed.content_type}\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
        )
        self._writer.write(head.encode() + b"\r\n")
        async for piece in streamed.pieces:
            self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._writer.drain()
        trailers = ""
        if streamed.error_type:
            body = base64.b64encode(streamed.error_body).decode()
            trailers = f"Lambda-Runtime-Function-Error-Type: {streamed.error_type}\r\n"
            trailers += f"Lambda-Runtime-Function-Error-Body: {body}\r\n"
        self._writer.write(f"0\r\n{trailers}\r\n".encode())
        return await self._answer()

    async def _request(self, method: str, path: str, body: bytes = b"") -> _Answer:
        head = f"{method} {path} HTTP/1.1\r\nHost: runtime\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        return await self._answer()

    async def _answer(self) -> _Answer:
        await self._writer.drain()
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:] if line)
        headers = {name.lower(): value for name, _, value in pairs}
        content = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return _Answer(int(lines[0].split(" ")[1]), headers, content)
