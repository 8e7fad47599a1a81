"""What every engine is put through: a function made of shell, and a daemon that plays its part.

The function evaluates each payload as shell: ``respond TEXT`` answers, ``exit 3`` ends. So one
package serves every test, in an image with nothing but a shell as on this machine.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lambdash.engines.protocol import Engine, Sandbox, SandboxExit, SandboxSpec
from lambdash.model import FunctionConfiguration, Revision, ZipPackage
from lambdash.model.progress import silent

PATIENCE_S = 30.0

BOOTSTRAP = """#!{shell}
{request}
invocation=/2018-06-01/runtime/invocation
respond() {{ request POST $invocation/1/response "$1" >/dev/null; }}
while :; do
  eval "$(request GET $invocation/next '')"
done
"""

REQUEST_BY_NC = """request() {
  printf '%s %s HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "$1" "$2" "${#3}" "$3" |
    nc "${AWS_LAMBDA_RUNTIME_API%:*}" "${AWS_LAMBDA_RUNTIME_API##*:}" |
    { while read -r line; do [ "${#line}" -le 1 ] && break; done; cat; }
}"""


@dataclass(frozen=True, slots=True)
class EngineCase:
    """One engine under contract.

    ``start`` makes and starts an engine of the *same project* each time, as successive daemons do.
    ``request`` defines the shell function ``request METHOD PATH BODY`` where the function runs; it
    prints the answer's body. ``left`` names what is left once every engine was closed.
    """

    name: str
    start: Callable[[], Awaitable[Engine]]
    request: str
    left: Callable[[], list[str]]
    shell: str = "/bin/sh"

    def specification(self, folder: Path, **configuration: object) -> SandboxSpec:
        """A package with the function, written to ``folder`` unless it is there."""
        if not folder.exists():
            folder.mkdir()
            bootstrap = folder / "bootstrap"
            bootstrap.write_text(BOOTSTRAP.format(shell=self.shell, request=self.request))
            bootstrap.chmod(0o755)
        settings: dict[str, object] = {"function_name": "contract", "runtime": "provided.al2023"}
        settings |= {"handler": "unused", **configuration}
        package = ZipPackage(tree_digest=str(folder).encode().hex(), size_bytes=1)
        configured = FunctionConfiguration(**settings)  # type: ignore[arg-type]
        return SandboxSpec(Revision(configured, package), folder)


def add_extension(folder: Path, name: str, script: str, shell: str) -> None:
    """An external extension in the layers that lie in ``folder``."""
    path = folder / "extensions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shell}\n{script}\n")
    path.chmod(0o755)


def with_layers(spec: SandboxSpec, folder: Path) -> SandboxSpec:
    """The same package with layers that lie in ``folder``."""
    layers = ZipPackage(tree_digest=str(folder).encode().hex(), size_bytes=1)
    return replace(spec, revision=replace(spec.revision, layers=layers), layers_path=folder)


class ScriptedDaemon:
    """Observes one sandbox and serves its Runtime API, one answer a connection."""

    def __init__(self) -> None:
        self.parked: list[asyncio.Transport] = []
        self.responses: list[bytes] = []
        self.written = {stream: bytearray() for stream in ("stdout", "stderr", "extension")}
        self.marks: dict[str, float] = {}
        self.asked: dict[str, asyncio.Transport] = {}
        self.exits: list[SandboxExit] = []
        self.extensions: list[tuple[str, ...]] = []
        self.extension_exits: list[tuple[str, SandboxExit]] = []
        self.sandbox: Sandbox | None = None
        self._news = asyncio.Event()

    def runtime_connection(self) -> asyncio.Protocol:
        return _RuntimeConnection(self)

    def output(self, stream: str, data: bytes) -> None:
        self.written[stream] += data
        self._news.set()

    def mark(self, name: str, at: float) -> None:
        self.marks[name] = at

    def extensions_started(self, names: tuple[str, ...]) -> None:
        self.extensions.append(names)
        self._news.set()

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        self.extension_exits.append((name, exit))
        self._news.set()

    def exited(self, exit: SandboxExit) -> None:
        self.exits.append(exit)
        self._news.set()

    def request(self, method: str, path: str, body: bytes, transport: asyncio.Transport) -> None:
        if (method, path) == ("GET", "/2018-06-01/runtime/invocation/next"):
            self.parked.append(transport)
        elif path.startswith("/from/"):
            self.asked[path] = transport
        else:
            if self.sandbox is not None:
                self.sandbox.drain_output()
            self.responses.append(body)
            _answer(transport, b"")
        self._news.set()

    def disconnected(self, transport: asyncio.Transport) -> None:
        if transport in self.parked:
            self.parked.remove(transport)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def send(self, script: str) -> None:
        """Hand a payload to the runtime as soon as it asks for one."""
        await self.until(lambda: bool(self.parked))
        _answer(self.parked.pop(0), script.encode())

    async def invoke(self, script: str) -> str:
        """Hand over a payload; what the function responds."""
        before = len(self.responses)
        await self.send(script)
        await self.until(lambda: len(self.responses) > before)
        return self.responses[-1].decode()

    async def exit(self) -> SandboxExit:
        await self.until(lambda: bool(self.exits))
        return self.exits[-1]


class _RuntimeConnection(asyncio.Protocol):
    def __init__(self, daemon: ScriptedDaemon) -> None:
        self._daemon = daemon
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if found and len(body) >= int(length[1] if length else 0):
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            self._daemon.request(method, path, body, self._transport)

    def eof_received(self) -> bool:
        return True  # `nc` ends its side once it has sent the request

    def connection_lost(self, error: Exception | None) -> None:
        self._daemon.disconnected(self._transport)


def _answer(transport: asyncio.Transport, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nConnection: close\r\n"
    transport.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    transport.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A launched function, its engine and its daemon."""

    engine: Engine
    sandbox: Sandbox
    daemon: ScriptedDaemon


async def launched(
    engine: Engine, spec: SandboxSpec, environment_id: str = "e1", **variables: str
) -> Running:
    daemon = ScriptedDaemon()
    prepared = await engine.prepare(spec, silent)
    sandbox = await engine.launch(prepared, environment_id, tuple(variables.items()), daemon)
    daemon.sandbox = sandbox
    return Running(engine, sandbox, daemon)
