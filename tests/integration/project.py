"""A user's project and the real commands run in it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambdash import locations
from lambdash.client.connection import Connection

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
COMMAND_TIMEOUT_S = 90
_OWN_VARIABLES = re.compile(r"LAMBDASH_|XDG_(RUNTIME|STATE|CACHE)|COV_|PYTEST|AWS_")


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command did."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON object of a command run with ``--json``."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> dict[str, str]:
        """The error of a command run with ``--json``; each has a code, a message and a hint."""
        error = self.document["error"]
        assert isinstance(error, dict)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", error["code"])
        assert error["message"]
        return error


@dataclass(slots=True)
class Project:
    """One folder, ``demo``, with a manifest, below ``root``, which belongs to it alone."""

    root: Path
    store: Path
    engine: str | None
    variables: dict[str, str] = field(default_factory=dict)
    working: str = "demo"  # the folder of ``root`` in which commands are typed

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.runtime_dir.mkdir(mode=0o700)
        given = {k: v for k, v in os.environ.items() if not _OWN_VARIABLES.match(k) and k != "CI"}
        own = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "LAMBDASH_STORE": str(self.store),
            "XDG_RUNTIME_DIR": str(self.runtime_dir),
            "XDG_STATE_HOME": str(self.root / "state"),
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            # no test of this suite downloads an image
            "LAMBDASH_INVOKE_PULL": "never",
            "LAMBDASH_DEPLOY_PULL": "never",
            "LAMBDASH_DEV_PULL": "never",
        }
        self.variables = {**given, **own, **self.variables}
        if self.engine is not None:
            self.variables["LAMBDASH_ENGINE"] = self.engine

    @property
    def folder(self) -> Path:
        return self.root / "demo"

    @property
    def runtime_dir(self) -> Path:
        return self.root / "run"

    @property
    def manifest(self) -> Path:
        return self.folder / locations.MANIFEST_NAMES[0]

    @property
    def id(self) -> str:
        return locations.project_id(str(self.manifest))

    @property
    def socket(self) -> Path:
        return Path(locations.socket_path(str(self.manifest), self.variables))

    def write(self, files: Mapping[str, str]) -> None:
        """Files of the project, by their path in it."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def describe(self, functions: Mapping[str, Mapping[str, Any]], **top: Any) -> None:
        """Write the manifest; JSON is YAML. A function's code is in the folder of its name."""
        usual = {"runtime": RUNTIME, "handler": "app.handler", "timeout": 20, "memory_size": 256}
        complete = {
            name: settings
            if settings.keys() & {"image", "build"}
            else {"code": f"./{name}", **usual, **settings}
            for name, settings in functions.items()
        }
        document = {"version": 1, **top, "functions": complete}
        self.manifest.write_text(json.dumps(document, indent=1), encoding="utf-8")

    def arguments(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lambdash.cli.main", *words]

    def run(
        self, *words: str, stdin: bytes = b"", prefix: Sequence[str] = (), **variables: str
    ) -> Ran:
        """One command, to its end."""
        ran = subprocess.run(
            [*prefix, *self.arguments(*words)],
            input=stdin,
            capture_output=True,
            cwd=self.root / self.working,
            env={**self.variables, **variables},
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr.decode())

    def popen(self, *words: str) -> "subprocess.Popen[bytes]":
        """One command in the background, its output in pipes."""
        return subprocess.Popen(
            self.arguments(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root / self.working,
            env=self.variables,
        )

    def succeed(self, *words: str, **variables: str) -> dict[str, Any]:
        """The document of a command that must work."""
        ran = self.run(*words, "--json", **variables)
        assert ran.code == 0, ran
        return ran.document

    def invoke(self, function: str, payload: object = None, *words: str) -> dict[str, Any]:
        """The document of one invocation, however it ended."""
        given = () if payload is None else ("-p", json.dumps(payload))
        return self.run("invoke", function, *given, *words, "--json").document

    def ask(self, verb: str, **body: Any) -> dict[str, Any]:
        """What ``lambdash VERB --json`` prints, in a millisecond: for tests that poll."""
        return list(Connection.open(str(self.socket)).call(verb, body, {}))[-1]

    def status(self) -> dict[str, Any]:
        return self.succeed("status")

    def environments(self) -> list[dict[str, Any]]:
        found = self.succeed("ps")["environments"]
        assert isinstance(found, list)
        return found


def until(met: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """The first true answer of ``met``, asked again and again; fails when the time is over."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = met()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {timeout_s:g} s: {what}")
