"""The table of `docs/behaviour.md`: what is the same, different, not there; and its test."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs" / "behaviour.md"
_ROW = re.compile(r"^\| (.+?) \| (.*?) ?\| (?:`(.+?)` )?\|$", re.MULTILINE)


def _rows() -> list[tuple[str, str, str]]:
    table = DOCS.read_text().partition("## Row by row")[2]
    rows = [(what, here, test) for what, here, test in _ROW.findall(table)]
    return [row for row in rows if not row[0].startswith(("**", "what AWS", "---"))]


def _tests_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name[:4] == "test"}


@pytest.mark.parametrize(("what", "here", "test"), _rows())
def test_a_row_has_its_test(what: str, here: str, test: str) -> None:
    assert re.match(r"(same|different: .+|not there: .+)($|[ ;,])", here), what
    if here.startswith("not there"):
        assert test == ""
        return
    path, _, name = test.partition("::")
    assert name in _tests_of(TESTS / path)


def _modules() -> list[Path]:
    """Those that run functions and compare."""
    found = set((TESTS / "conformance").glob("test_*.py")) - {Path(__file__)}
    return [path for path in found if "(cloud: Cloud" in path.read_text()]


def test_every_test_has_its_row() -> None:
    named = {test for _, _, test in _rows()}
    found = {f"conformance/{path.name}::{name}" for path in _modules() for name in _tests_of(path)}
    assert len(found) > 40
    assert found - named == set()


def test_every_expectation_names_its_source() -> None:
    for path in _modules():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                assert ast.get_docstring(node), f"{path.name}::{node.name} names no source"
