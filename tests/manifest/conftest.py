"""A folder with a manifest in it, and what loading it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from lambdash.manifest import LoadOptions, Manifest, ManifestInvalid, load


@dataclass(frozen=True)
class Workspace:
    root: Path

    @property
    def path(self) -> Path:
        return self.root / "lambdash.yaml"

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def load(
        self,
        text: str,
        environ: Mapping[str, str] | None = None,
        env_vars: Path | None = None,
    ) -> Manifest:
        self.write("lambdash.yaml", text)
        return load(self.path, LoadOptions(environ or {}, env_vars))

    def invalid(self, text: str | bytes, **options: object) -> ManifestInvalid:
        if isinstance(text, bytes):
            self.path.write_bytes(text)
        else:
            self.write("lambdash.yaml", text)
        with pytest.raises(ManifestInvalid) as caught:
            load(self.path, LoadOptions(options.get("environ", {}), options.get("env_vars")))
        return caught.value

    def problems(self, text: str | bytes, **options: object) -> list[str]:
        """The problems, with paths as if the folder were the current one."""
        message = self.invalid(text, **options).message
        return message.replace(f"{self.root}/", "").split("\n")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "code").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return Workspace(tmp_path)
