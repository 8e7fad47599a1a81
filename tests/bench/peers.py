"""Installs what lambdash is measured against: ``python tests/bench/peers.py DIR [NAME...]``.

Every peer lives below DIR, in an environment of its own; what is there already is left alone.
Versions are pinned here, so that figures of two days can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON_PEERS: dict[str, tuple[str, ...]] = {
    "sam": ("aws-sam-cli==1.170.0",),
    "cargo-lambda": ("cargo-lambda==1.9.2",),
}
NODE_PEERS: dict[str, tuple[str, ...]] = {
    "serverless-offline": ("serverless@3.40.0", "serverless-offline@13.9.0"),
}
QUIET = {
    "SAM_CLI_TELEMETRY": "0",
    "SLS_TELEMETRY_DISABLED": "1",
    "SLS_NOTIFICATIONS_MODE": "off",
    "SLS_INTERACTIVE_SETUP_ENABLE": "0",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class PeerMissing(Exception):
    """A benchmark's peer is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers below one folder. Each method gives a program, or raises ``PeerMissing``."""

    folder: Path

    def cargo_lambda(self) -> Path:
        """The program that the wheel carries."""
        return self._found("cargo-lambda", "bin/cargo-lambda")

    def sam(self) -> Path:
        """The ``sam`` command."""
        return self._found("sam", "bin/sam")

    def runtime_interface_emulator(self) -> Path:
        """AWS's emulator binary, as the SAM CLI ships it."""
        pattern = "lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
        return self._found("sam", pattern)

    def serverless(self) -> Path:
        """The ``serverless`` command with the offline plugin beside it."""
        return self._found("serverless-offline", "node_modules/.bin/serverless")

    def _found(self, name: str, pattern: str) -> Path:
        for path in sorted((self.folder / name).glob(pattern)):
            return path
        raise PeerMissing(f"{name} is not in {self.folder}: run peers.py {self.folder} {name}")


def environment() -> dict[str, str]:
    """The variables a peer runs under: nothing is reported home, and no account is known."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **QUIET, "AWS_DEFAULT_REGION": "us-east-1"}


def install(folder: Path, names: Sequence[str]) -> None:
    """Install the named peers, all when none is named."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or (*PYTHON_PEERS, *NODE_PEERS):
        install_one: Callable[[Path, Sequence[str]], None]
        if name in PYTHON_PEERS:
            install_one, packages = _install_python, PYTHON_PEERS[name]
        else:
            install_one, packages = _install_node, NODE_PEERS[name]
        record = folder / name / "installed.json"
        if record.exists() and json.loads(record.read_text()) == list(packages):
            sys.stdout.write(f"{name}: {', '.join(packages)} is there\n")
            continue
        sys.stdout.write(f"{name}: installing {', '.join(packages)}\n")
        sys.stdout.flush()
        shutil.rmtree(folder / name, ignore_errors=True)
        install_one(folder / name, packages)
        record.write_text(json.dumps(list(packages)))


def _install_python(folder: Path, packages: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *packages], check=True)


def _install_node(folder: Path, packages: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "peer", "private": true}\n')
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--save-exact", *packages]
    subprocess.run(npm, cwd=folder, check=True, env=environment())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *PYTHON_PEERS, *NODE_PEERS])
    given = parser.parse_args()
    install(given.folder.absolute(), given.names)


if __name__ == "__main__":
    main()
