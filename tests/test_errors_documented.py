"""Every error code is in docs/errors.md with its meaning and way out, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lambdash.daemon.control import _DIFFERENCES
from lambdash.pool import FailCause

ROOT = Path(__file__).parent.parent
ERRORS = {"LambdashError", "CallerError", "PlatformError", "FunctionError", "PlatformFailed"}
# said by the edges, in the shape of an error: `"code": "..."`
_DOCUMENT = re.compile(r'"code": "([a-z-]+)"')


def raised() -> set[str]:
    """Codes in the constructors of errors, and those that a table or an enum gives them."""
    found = {code for code, _ in _DIFFERENCES.values()}
    found |= {cause.value.replace("_", "-") for cause in FailCause}
    for path in (ROOT / "lambdash").rglob("*.py"):
        text = path.read_text()
        found.update(_DOCUMENT.findall(text))
        found.update(_literals(ast.parse(text)))
    return found


def _literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ERRORS or (name == "__init__" and node.args):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def documented() -> dict[str, list[str]]:
    """Code to the further cells of its row."""
    lines = (ROOT / "docs" / "errors.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in rows if re.fullmatch(r"`[a-z0-9-]+`", row[0])}


def test_every_code_is_documented() -> None:
    assert raised() - documented().keys() == set()


def test_every_documented_code_exists() -> None:
    assert documented().keys() - raised() == set()


def test_every_row_has_a_meaning_and_a_way_out() -> None:
    short = [code for code, cells in documented().items() if len(cells) != 3 or not all(cells)]
    assert short == []


def test_the_table_is_sorted_by_code() -> None:
    codes = list(documented())
    assert codes == sorted(codes)
