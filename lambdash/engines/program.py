"""What the process engine starts: AWS's variables, with this machine's folders in AWS's places.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from lambdash.engines.frames import Assignment, ProcessLimits

TASK_ROOT = "LAMBDA_TASK_ROOT"
RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
ENDPOINT = "AWS_ENDPOINT_URL"
_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Program:
    """A revision's folders and what runs it.

    ``code`` stands for ``/var/task``, ``layers`` for ``/opt``, ``client`` (None on ``provided.*``)
    for ``/var/runtime``; ``command`` starts the client;
    ``endpoint`` is where AWS clients are answered.
    """

    runtime: str
    memory_mb: int
    code: Path
    layers: Path | None
    client: Path | None
    command: tuple[str, ...]
    endpoint: str | None = None

    @property
    def copies(self) -> tuple[Path, ...]:
        """The folders that are this revision's alone."""
        return (self.code,) if self.layers is None else (self.code, self.layers)

    def assignment(
        self, variables: tuple[tuple[str, str], ...], temporary: Path, port: int
    ) -> Assignment:
        """The runtime's process; the function's own ``variables`` may replace some of ours."""
        code = str(self.code)
        fixed = {
            "PWD": code,
            TASK_ROOT: code,
            "LAMBDA_RUNTIME_DIR": str(self.client or self.code),
            RUNTIME_API: f"127.0.0.1:{port}",
        }
        merged = {**self._replaceable(), "TMPDIR": str(temporary), **dict(variables), **fixed}
        command = self._command(merged)
        limits = ProcessLimits(memory_mb=self.memory_mb)
        extensions = "" if self.layers is None else f"{self.layers}/extensions"
        return Assignment(command, tuple(merged.items()), code, limits, extensions)

    def _replaceable(self) -> dict[str, str]:
        path = os.environ.get("PATH") or _DEFAULT_PATH
        libraries = [str(self.code), f"{self.code}/lib"]
        found = {"LANG": "en_US.UTF-8", "TZ": ":UTC"}
        if self.endpoint is not None:
            found[ENDPOINT] = self.endpoint
        if self.layers is not None:
            path = f"{path}:{self.layers}/bin"
            libraries.append(f"{self.layers}/lib")
        if self.layers is not None and self.client is not None and self._node_version:
            modules = f"{self.layers}/nodejs"
            found["NODE_PATH"] = (
                f"{modules}/node{self._node_version}/node_modules:{modules}/node_modules"
                f":{self.client}/node_modules"
            )
        if sys.platform == "linux":
            found["LD_LIBRARY_PATH"] = ":".join(libraries)
        return {**found, "PATH": path}

    @property
    def _node_version(self) -> str:
        found = re.fullmatch(r"nodejs(\d+)\.x", self.runtime)
        return found[1] if found else ""

    def _command(self, variables: dict[str, str]) -> tuple[str, ...]:
        """With the wrapper in front; AWS has wrappers for its own runtimes only.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
        """
        if self.client is None:
            return (str(self._bootstrap()),)
        command = self.command
        if self.layers is not None and self.runtime.startswith("python"):
            command = (*command, str(self.layers))
        wrapper = variables.get(_WRAPPER)
        return (str(self._here(wrapper)), *command) if wrapper else command

    def _bootstrap(self) -> Path:
        """The code's, else the layers'; what is not there ends the runtime with status 127."""
        own = self.code / "bootstrap"
        if self.layers is not None and not own.exists() and (self.layers / "bootstrap").exists():
            return self.layers / "bootstrap"
        return own

    def _here(self, path: str) -> Path:
        """A path in a function's file system as it is on this machine."""
        for place, folder in (("/var/task/", self.code), ("/opt/", self.layers)):
            if path.startswith(place) and folder is not None:
                return folder / path.removeprefix(place)
        return self.code / path
