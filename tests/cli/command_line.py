"""Running the real console script in a folder and an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambdash import locations

_MANIFEST = "version: 1\nfunctions:\n  hello: {code: ., handler: app.handler}\n"


@dataclass
class Ran:
    """What one command did."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()


@dataclass
class CommandLine:
    """A project folder, a runtime folder, and an environment with nothing of the developer's."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_project(cls, root: Path) -> "CommandLine":
        project, runtime, home = root / "project", root / "run", root / "home"
        for folder in (project, runtime, home):
            folder.mkdir(mode=0o700)
        (project / "lambdash.yaml").write_text(_MANIFEST)
        return cls(
            project,
            {
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "XDG_RUNTIME_DIR": str(runtime),
                "LAMBDASH_STORE": str(root / "store"),
                "COLUMNS": "80",
                "LC_ALL": "C.UTF-8",
                "TZ": "EET-2",  # two hours east of UTC
            },
        )

    @property
    def socket(self) -> Path:
        return Path(locations.socket_path(str(self.folder / "lambdash.yaml"), self.variables))

    def arguments(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lambdash.cli.main", *words]

    def run(
        self, *words: str, stdin: bytes = b"", python: Sequence[str] = (), **variables: str
    ) -> Ran:
        argv = [sys.executable, *python, "-m", "lambdash.cli.main", *words]
        ran = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env={**self.variables, **variables},
            timeout=60,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr.decode())

    def pipe_into_nothing(self, *words: str) -> Ran:
        """Run with a standard output whose reader has gone."""
        reading, writing = os.pipe()
        os.close(reading)
        try:
            ran = subprocess.run(
                self.arguments(*words),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.PIPE,
                cwd=self.folder,
                env=self.variables,
                timeout=60,
                check=False,
            )
        finally:
            os.close(writing)
        return Ran(ran.returncode, b"", ran.stderr.decode())
