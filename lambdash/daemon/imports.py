"""What each import of a Python function costs: a cold start under the interpreter's timer."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from lambdash import limits
from lambdash.engines.protocol import Engine, SandboxExit, SandboxSpec
from lambdash.errors import CallerError, PlatformError
from lambdash.http.bounds import HttpBounds
from lambdash.http.protocol import HttpProtocol
from lambdash.http.request import Request
from lambdash.http.responder import Responder
from lambdash.model.progress import silent

# https://docs.python.org/3/using/cmdline.html#cmdoption-X (importtime)
_SWITCH = ("PYTHONPROFILEIMPORTTIME", "1")
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


async def import_costs(
    engine: Engine, spec: SandboxSpec, variables: tuple[tuple[str, str], ...]
) -> list[dict[str, Any]]:
    """Every module the function's init imports, dearest first, as {module, self_us, cumulative_us}.

    Runs in a sandbox of its own that serves nothing and is removed. Raises ``CallerError`` for
    another runtime than Python's.
    """
    runtime = spec.revision.configuration.runtime or ""
    if not runtime.startswith("python"):
        raise CallerError("imports-need-python", "import costs are known for Python runtimes only")
    prepared = await engine.prepare(spec, silent)
    observer = _Observer()
    sandbox = await engine.launch(
        prepared, f"imports-{spec.revision.id[:8]}", (*variables, _SWITCH), observer
    )
    try:
        if observer.extended:
            await engine.start_runtime(sandbox)
        await asyncio.wait_for(observer.initialised.wait(), limits.INIT_MAX_S)
        sandbox.drain_output()
    except TimeoutError as error:
        raise PlatformError(
            "imports-unknown", f"the function did not initialise in {limits.INIT_MAX_S:g} s"
        ) from error
    finally:
        await engine.stop(sandbox, 0)
    return parse(observer.errors.decode("utf-8", "replace"))


def parse(text: str) -> list[dict[str, Any]]:
    """The lines of ``-X importtime``, dearest first."""
    rows: list[Mapping[str, Any]] = [
        {"module": found[4], "self_us": int(found[1]), "cumulative_us": int(found[2])}
        for found in _LINE.finditer(text)
    ]
    return [dict(row) for row in sorted(rows, key=lambda row: -row["cumulative_us"])]


class _Observer:
    """Collects what the sandbox writes until its runtime asks for the first time."""

    def __init__(self) -> None:
        self.initialised = asyncio.Event()
        self.errors = bytearray()
        self.extended = False
        self._bounds = HttpBounds(body_bytes=limits.RESPONSE_PAYLOAD_MAX_BYTES)

    def runtime_connection(self) -> asyncio.Protocol:
        return HttpProtocol(self._request, self._bounds)

    def output(self, stream: str, data: bytes) -> None:
        if stream == "stderr" and len(self.errors) < limits.LOG_KEPT_PER_INVOCATION_MAX_BYTES:
            self.errors += data

    def mark(self, name: str, at: float) -> None:
        """Launch marks are of no interest here."""

    def exited(self, exit: SandboxExit) -> None:
        self.initialised.set()

    def extensions_started(self, names: tuple[str, ...]) -> None:
        """They serve nobody here: the runtime is started without waiting for them."""
        self.extended = True

    def extension_exited(self, name: str, exit: SandboxExit) -> None:
        """Of no interest either."""

    def _request(self, request: Request, responder: Responder) -> None:
        """Whatever it asks, its imports are done; the request is left parked."""
        self.initialised.set()
