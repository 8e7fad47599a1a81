"""What needs no daemon: checking a manifest, its schema, the store, and removing state."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambdash import locations
from lambdash.client.control import Control
from lambdash.errors import CallerError, PlatformError


def validate(manifest: str, environ: Mapping[str, str], env_vars: str | None) -> dict[str, Any]:
    """What a valid manifest defines; raises ``ManifestInvalid`` with every problem it has."""
    from lambdash.manifest import LoadOptions, load

    options = LoadOptions(environ=environ, env_vars=None if env_vars is None else Path(env_vars))
    loaded = load(Path(manifest), options)
    return {"valid": True, "manifest": manifest, "functions": list(loaded.functions)}


def problems(error: CallerError) -> list[dict[str, Any]]:
    """The problems of a ``ManifestInvalid``, one object each; empty for any other error."""
    from dataclasses import asdict

    from lambdash.manifest import ManifestInvalid

    return [asdict(each) for each in error.problems] if isinstance(error, ManifestInvalid) else []


def schema() -> dict[str, Any]:
    """The JSON Schema of the manifest."""
    from lambdash.manifest import json_schema

    return json_schema()


def prune(environ: Mapping[str, str], unused_for_s: float | None) -> dict[str, Any]:
    """Remove the store's packages that no daemon uses; says how much that freed.

    ``volumes``: how many an engine held for the store, removed when no daemon runs that uses it.
    """
    from lambdash.packaging.store import PackageStore

    store = PackageStore(Path(locations.store_directory(environ)))
    try:
        freed = store.prune(unused_for_s=unused_for_s)
        volumes = 0 if store.has_users() else _prune_volumes(environ, store.root)
        return {
            "store": str(store.root),
            "freed_bytes": freed,
            "size_bytes": store.size_bytes(),
            "volumes": volumes,
        }
    finally:
        store.close()


def _prune_volumes(environ: Mapping[str, str], store: Path) -> int:
    from lambdash.engines.docker.address import Surroundings
    from lambdash.engines.docker.pruning import prune_volumes

    try:
        return prune_volumes(Surroundings(environ, Path.home()), store)
    except PlatformError:  # an engine that does not answer keeps what it has; `doctor` tells
        return 0


def clean(control: Control) -> dict[str, Any]:
    """Stop the project's daemon, then remove its state, socket and locks."""
    result = control.stop()
    project = control.project()
    removed = [str(project.state_dir)] if project.state_dir.is_dir() else []
    try:
        if removed:
            shutil.rmtree(project.state_dir)
        for path in (project.socket, project.lock, project.start_lock):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PlatformError(
            "clean-failed",
            f"{error.filename} cannot be removed: {error.strerror}",
            "check who owns it",
        ) from error
    stopped = None if result is None else result.get("stopped", {})
    return {"removed": removed, "stopped": stopped}
