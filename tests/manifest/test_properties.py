"""Whatever the file holds, the answer is a manifest or a list of problems."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdash.manifest import LoadOptions, Manifest, ManifestInvalid, load
from lambdash.manifest.document import _LOADER
from lambdash.manifest.grammar import FunctionEntry, ManifestDocument
from tests.manifest.conftest import Workspace

MODEST = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEYS = [*ManifestDocument.model_fields, *FunctionEntry.model_fields, "layers", "args", "<<", "x"]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(),
    st.sampled_from(["${env:A}", "${env:", "$${", "${env:B:-1}", "1", "python3.13", "\x00"]),
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["version: 1", "functions:", "f:", "\n", "  ", "    ", "- ", "? ", ": ", "&a ", "*a",
         "<<: ", "{", "}", "[", "]", ",", "'", '"', "|", ">", "!!str ", "!x ", "#", "---",
         "...", "%YAML 1.1", "${env:A}", "${env:", "\t", "\\", "code: .", "image: x",
         "environment:", "env_file: x"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def attempt(path: Path, env_vars: Path | None = None) -> Manifest | None:
    try:
        return load(path, LoadOptions({"A": "1"}, env_vars))
    except ManifestInvalid as error:
        problems = error.problems
    assert problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
    assert all(problem.message and problem.code for problem in problems)
    return None


@MODEST
@given(st.binary(max_size=300))
def test_bytes(workspace: Workspace, content: Any) -> None:
    workspace.path.write_bytes(content)
    attempt(workspace.path)


@MODEST
@given(st.text(max_size=200) | FRAGMENTS)
def test_text(workspace: Workspace, content: Any) -> None:
    workspace.path.write_bytes(content.encode("utf-8", "surrogatepass"))
    attempt(workspace.path)


@pytest.mark.parametrize("loader", ["C", "pure"])
@MODEST
@given(content=FRAGMENTS)
def test_text_on_both_loaders(workspace: Workspace, loader: str, content: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        chosen = _LOADER if loader == "C" else yaml.SafeLoader
        patch.setattr("lambdash.manifest.document._LOADER", chosen)
        workspace.path.write_text("version: 1\nfunctions:\n  f:\n    " + content)
        attempt(workspace.path)


@MODEST
@given(TREES, TREES, TREES)
def test_trees(workspace: Workspace, top: Any, defaults: Any, function: Any) -> None:
    document = {"version": 1, "defaults": defaults, "functions": {"f": function}, "x": top}
    workspace.path.write_text(yaml.dump(document, allow_unicode=True), encoding="utf-8")
    attempt(workspace.path)
    if isinstance(top, dict):
        workspace.path.write_text(yaml.dump(top, allow_unicode=True), encoding="utf-8")
        attempt(workspace.path)


@MODEST
@given(st.text(max_size=100) | FRAGMENTS, TREES | st.text(max_size=40))
def test_files_it_names(workspace: Workspace, dotenv: str, env_vars: Any) -> None:
    workspace.write("lambdash.yaml", "version: 1\nenv_file: .env\nfunctions: {f: {image: x}}\n")
    (workspace.root / ".env").write_bytes(dotenv.encode("utf-8", "surrogatepass"))
    (workspace.root / "vars.json").write_text(json.dumps({"f": env_vars}, default=str))
    attempt(workspace.path, workspace.root / "vars.json")


NAMES = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=64)
VARIABLES = st.dictionaries(
    st.from_regex(r"\AX[A-Z0-9_]+\Z").filter(lambda name: len(name) < 30),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30).filter(
        lambda text: "${" not in text
    ),
    max_size=4,
)
ENTRIES = st.fixed_dictionaries(
    {"image": st.just("shop/x:1")},
    optional={
        "architecture": st.sampled_from(["x86_64", "arm64"]),
        "memory_size": st.integers(128, 10_240),
        "timeout": st.integers(1, 900),
        "ephemeral_storage": st.integers(512, 10_240),
        "environment": VARIABLES,
        "max_environments": st.integers(1, 1000),
        "keep_alive": st.floats(0, 86_400),
        # with a letter first: PyYAML writes `0E0` without quotes, which is a number elsewhere
        "description": st.text(string.printable, max_size=40)
        .filter(lambda text: "${" not in text)
        .map(lambda text: f"d{text}"),
    },
)


@MODEST
@given(st.dictionaries(NAMES, ENTRIES, max_size=4), st.booleans())
def test_valid_manifests_round_trip(
    workspace: Workspace, functions: dict[str, Any], flow: bool
) -> None:
    document = {"version": 1, "functions": functions}
    text = yaml.safe_dump(document, allow_unicode=False, default_flow_style=flow)
    workspace.path.write_text(text, encoding="utf-8")
    loaded = load(workspace.path, LoadOptions({})).functions
    assert list(loaded) == sorted(functions)
    for name, entry in functions.items():
        configuration, scaling = loaded[name].configuration, loaded[name].scaling
        assert dict(configuration.environment) == entry.get("environment", {})
        assert configuration.description == entry.get("description", "")
        assert configuration.memory_size_mb == entry.get("memory_size", 128)
        assert configuration.timeout_s == entry.get("timeout", 3)
        assert configuration.ephemeral_storage_mb == entry.get("ephemeral_storage", 512)
        assert configuration.architecture == entry.get("architecture", "x86_64")
        assert scaling.max_environments == entry.get("max_environments", 16)
        assert scaling.keep_alive_s == entry.get("keep_alive", 600)
