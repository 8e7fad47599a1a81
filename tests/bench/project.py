"""A lambdash project in a folder of its own: written, deployed, called, and removed again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lambdash.storage.journal import Journal, JournalEntry

LAMBDASH = Path(sys.executable).with_name("lambdash")
ECHO = "def handler(event, context):\n    return event\n"


class Project:
    """``environ`` are the variables its commands run under."""

    def __init__(self, folder: Path, engine: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = {
            **environ,
            "LAMBDASH_ENGINE": engine,
            "LAMBDASH_STORE": str(folder / "store"),
        }

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def manifest(self, functions: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the manifest (JSON is YAML)."""
        self.write("lambdash.yaml", json.dumps({"version": 1, "functions": functions}, indent=1))

    def command(self, *arguments: str) -> list[str]:
        """The argument vector of a lambdash command."""
        return [str(LAMBDASH), *arguments]

    def run(self, *arguments: str) -> Any:
        """A command's JSON; raises ``RuntimeError`` with what it said when it fails."""
        finished = subprocess.run(
            self.command(*arguments, "--json"),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise RuntimeError(f"lambdash {arguments}: {finished.stdout} {finished.stderr}")
        return json.loads(finished.stdout)

    def invoke(self, name: str, *arguments: str) -> Any:
        """``lambdash invoke``."""
        return self.run("invoke", name, *arguments)

    def pid(self) -> int:
        """The daemon's process."""
        return int(self.run("status")["pid"])

    def url(self, name: str) -> str:
        """Where a function is invoked over HTTP."""
        return f"{self.run('status')['endpoint']}{invoke_path(name)}"

    def address(self) -> tuple[str, int]:
        """Host and port of the endpoint."""
        parts = urlsplit(self.run("status")["endpoint"])
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def journal(self, count: int, after: float) -> list[JournalEntry]:
        """The newest ``count`` entries since ``after`` (epoch); waits until they are written."""
        journal = Journal(self.folder / ".lambdash" / "journal.sqlite")
        try:
            end = time.monotonic() + 5.0
            while time.monotonic() < end:
                found = [entry for entry in journal.recent(count) if entry.at >= after]
                if len(found) == count:
                    return found
                time.sleep(0.1)
        finally:
            journal.close()
        raise TimeoutError(f"the journal has not {count} invocations")

    def stop(self) -> None:
        """End the daemon and everything it made."""
        self.run("stop")


def invoke_path(name: str) -> str:
    """The path of the Invoke operation."""
    return f"/2015-03-31/functions/{name}/invocations"


@contextlib.contextmanager
def project(engine: str, environ: Mapping[str, str] | None = None) -> Iterator[Project]:
    """An empty project in a new folder; its daemon is stopped and the folder removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lambdash-bench-"))
    found = Project(folder, engine, {**os.environ, **(environ or {})})
    try:
        yield found
    finally:
        with contextlib.suppress(RuntimeError):
            found.stop()
        shutil.rmtree(folder, ignore_errors=True)
