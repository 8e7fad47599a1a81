"""Builds the launcher while the package is built: binaries that work in any image.

With a C compiler (``cc``) the one for this machine is built; without, or with
``LAMBDASH_BUILD_LAUNCHERS=all`` (release wheels), ziglang from PyPI builds the Linux ones for
x86_64 and arm64, static against musl.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = "lambdash/engines/launcher"
_SOURCES = ("extensions.c", "launcher.c", "process.c", "relay.c")
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_ZIG_TARGETS = {"x86_64": "x86_64-linux-musl", "arm64": "aarch64-linux-musl"}
_ZIGLANG = "ziglang>=0.13,<0.16"


class LauncherBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles into ``lambdash/engines/launcher/bin`` and tags the wheel for what it carries."""

    def dependencies(self) -> list[str]:
        return [_ZIGLANG] if self._needs_zig() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        folder = Path(self.root, _FOLDER, "bin")
        folder.mkdir(exist_ok=True)
        if shutil.which("cc") and not (sys.platform == "linux" and self._needs_zig()):
            self._compile_native(folder)
        if self._needs_zig():
            for architecture in _ZIG_TARGETS:
                self._compile_by_zig(folder, architecture)
        build_data["artifacts"].append(f"/{_FOLDER}/bin/launcher-*")
        build_data["tag"] = self._tag(version)

    def _needs_zig(self) -> bool:
        wanted = os.environ.get("LAMBDASH_BUILD_LAUNCHERS", "native")
        if wanted not in {"all", "native"}:
            raise ValueError(f"LAMBDASH_BUILD_LAUNCHERS is {wanted!r}, not `all` or `native`")
        return wanted == "all" or (sys.platform == "linux" and not shutil.which("cc"))

    def _tag(self, version: str) -> str:
        """An editable install and a wheel with one Linux binary belong to this machine."""
        if sys.platform == "linux" and self._needs_zig() and version == "standard":
            return "py3-none-any"
        machine = platform.machine().lower()
        if sys.platform == "darwin":
            return f"py3-none-macosx_11_0_{_ARCHITECTURES.get(machine, machine)}"
        return f"py3-none-{sys.platform}_{machine}"

    def _compile_native(self, folder: Path) -> None:
        machine = platform.machine().lower()
        name = f"launcher-{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"
        static = ["-static", "-s"] if sys.platform == "linux" else []
        self._compile(["cc", *static], folder / name)

    def _compile_by_zig(self, folder: Path, architecture: str) -> None:
        zig = [sys.executable, "-m", "ziglang", "cc", "-target", _ZIG_TARGETS[architecture]]
        self._compile([*zig, "-static", "-s"], folder / f"launcher-linux-{architecture}")

    def _compile(self, compiler: list[str], target: Path) -> None:
        sources = [str(Path(self.root, _FOLDER, name)) for name in _SOURCES]
        scratch = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            subprocess.run([*compiler, *_FLAGS, "-o", str(scratch), *sources], check=True)
            scratch.chmod(0o755)
            scratch.replace(target)
            target.with_name(f"{target.name}.source").write_text(self._source_digest())
        finally:
            scratch.unlink(missing_ok=True)

    def _source_digest(self) -> str:
        """As ``lambdash.engines.launcher`` computes it: a stale binary in a checkout is noticed."""
        digest = hashlib.sha256()
        for name in (*_SOURCES, "launcher.h"):
            digest.update(Path(self.root, _FOLDER, name).read_bytes())
        return digest.hexdigest()[:16]
