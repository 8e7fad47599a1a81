"""Hostile documents are refused quickly, and say where."""

import time

import pytest

from lambdash import limits
from tests.manifest.conftest import Workspace

LEVELS = [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)]
MERGES = [
    f"  m{n}: &m{n} {{k{n}: v, <<: [{', '.join([f'*m{n - 1}'] * 10)}]}}\n" for n in range(1, 30)
]
BOMBS = {
    "billion laughs": "functions:\n  a0: &a0 [lol]\n" + "".join(LEVELS),
    "merge keys": "functions:\n  m0: &m0 {k: v}\n" + "".join(MERGES),
    "merge chain": "functions:\n  m0: &m0 {k: v}\n"
    + "".join(f"  m{n}: &m{n} {{k{n}: v, <<: *m{n - 1}}}\n" for n in range(1, 2000)),
    "quadratic": "functions:\n  a: &a {"
    + ", ".join(f"k{n}: v" for n in range(5000))
    + "}\n"
    + "".join(f"  b{n}: {{<<: *a}}\n" for n in range(5000)),
    "long text": f"functions:\n  a: &a {'x' * 100_000}\n  b: [{', '.join(['*a'] * 5000)}]\n",
    "flow depth": "functions: " + "[" * 400_000,
    "block depth": "functions:\n  " + "- " * 400_000,
    "key depth": "? " * 400_000,
    "many values": "functions: [" + "1," * 400_000 + "]",
    "references": "functions: {f: {description: " + "'" + "${env:BIG}" * 50_000 + "'}}\n",
    "unknown keys": "".join(f"k{n}: v\n" for n in range(20_000)),
    "too large": "#" * (limits.MANIFEST_MAX_BYTES + 1),
}
# as many values as are allowed have to be read before they are too many
SLOW = {"many values", "unknown keys"}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb(workspace: Workspace, bomb: str) -> None:
    began = time.process_time()
    error = workspace.invalid(BOMBS[bomb], environ={"BIG": "x" * 100_000})
    assert time.process_time() - began < (2.0 if bomb in SLOW else 0.5)
    assert {problem.code for problem in error.problems} & {"too-big", "too-deep", "unknown-key"}
    assert len(error.problems) <= limits.MANIFEST_MAX_PROBLEMS


def test_the_bound_of_values_names_the_alias(workspace: Workspace) -> None:
    (problem,) = workspace.problems(BOMBS["billion laughs"])
    assert problem.startswith("lambdash.yaml:7:")
    assert "more than 50000 values, aliases written out" in problem


def test_depth_counts_what_an_alias_stands_for(workspace: Workspace) -> None:
    inner = "[" * 20 + "]" * 20
    problems = workspace.problems(f"a: &a {inner}\nb: {'[' * 20}*a{']' * 20}\n")
    assert problems == ["lambdash.yaml:2:24: values are nested deeper than 32 levels"]


def test_600_lines_load_quickly(workspace: Workspace) -> None:
    entry = "    code: code\n    runtime: python3.13\n    handler: a.b\n"
    entry += "    environment:\n      TABLE: x\n"
    text = "version: 1\nfunctions:\n" + "".join(f"  f{n}:\n{entry}" for n in range(100))
    workspace.load(text)
    began = time.process_time()
    manifest = workspace.load(text)
    assert time.process_time() - began < 0.5
    assert len(manifest.functions) == 100
