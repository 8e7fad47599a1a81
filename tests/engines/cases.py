"""The engines under contract, each as a context manager that makes its case."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from lambdash.engines.process import ProcessEngine, ProcessFolders, RuntimeClients
from lambdash.engines.protocol import Engine
from lambdash.errors import PlatformError
from tests.engines.contract import EngineCase
from tests.engines.docker.case import docker_case

_REQUEST_BY_BASH = """request() {
  exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}"
  printf '%s %s HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s' "$1" "$2" "${#3}" "$3" >&3
  while read -r line <&3; do [ "${#line}" -le 1 ] && break; done
  cat <&3
  exec 3>&-
}"""


def no_client(runtime: str) -> Path:
    raise PlatformError("interpreter-missing", f"{runtime} is not part of this test")


def no_command(runtime: str, tree: Path) -> tuple[str, ...]:
    raise PlatformError("interpreter-missing", f"{runtime} is not part of this test")


@asynccontextmanager
async def process_case() -> AsyncIterator[EngineCase]:
    root = Path(tempfile.gettempdir()) / f"lambdash-test-{secrets.token_hex(4)}"
    folders = ProcessFolders(root / "state", root / "sockets")
    engines: list[ProcessEngine] = []

    async def start() -> Engine:
        engine = ProcessEngine(folders, RuntimeClients(no_client, no_command))
        await engine.start()
        engines.append(engine)
        return engine

    def left() -> list[str]:
        files = [str(path) for path in root.rglob("*") if not path.is_dir()]
        return files + [entry for entry in os.listdir("/proc") if _runs_from(entry, root)]

    try:
        yield EngineCase("process", start, _REQUEST_BY_BASH, left, shutil.which("bash") or "")
        for engine in engines:
            await engine.close()
        assert left() == []
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _runs_from(pid: str, root: Path) -> bool:
    """Whether a process (by its own variables) is one of the engine's that owns ``root``."""
    try:
        return os.fsencode(root) in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


CASES: dict[str, Callable[[], AbstractAsyncContextManager[EngineCase]]] = {
    "process": process_case,
    "docker": docker_case,
}
