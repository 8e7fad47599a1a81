"""Every kind of problem, with its place and its words."""

import re
from pathlib import Path

import pytest

from lambdash.manifest import LoadOptions, ManifestInvalid, load
from tests.manifest.conftest import Workspace
from tests.manifest.document_cases import CASES as DOCUMENT_CASES
from tests.manifest.document_cases import HEAD
from tests.manifest.function_cases import CASES as FUNCTION_CASES

DOCS = Path(__file__).parents[2] / "docs" / "manifest.md"
CASES = DOCUMENT_CASES | FUNCTION_CASES


@pytest.mark.parametrize("case", CASES)
def test_problem(workspace: Workspace, case: str) -> None:
    text, expected = CASES[case]
    assert workspace.problems(text) == [f"lambdash.yaml:{problem}" for problem in expected]


def test_codes_are_kebab_case(workspace: Workspace) -> None:
    codes = set()
    for text, _ in CASES.values():
        codes |= {problem.code for problem in workspace.invalid(text).problems}
    documented = set(
        re.findall(r"^\| `([a-z]+(?:-[a-z0-9]+)+)` \|", DOCS.read_text(), re.MULTILINE)
    )
    assert codes <= documented
    assert len(codes) > 30
    assert all(code == code.lower() and " " not in code and "_" not in code for code in codes)


def test_wrong_values_past_the_limit_are_counted(workspace: Workspace) -> None:
    values = "".join(f"      V{number}: []\n" for number in range(150))
    problems = workspace.problems(HEAD + "    environment:\n" + values)
    assert len(problems) == 101
    assert problems[-1] == "... and 50 more"


def test_the_error_is_the_callers(workspace: Workspace) -> None:
    error = workspace.invalid("")
    assert (error.code, error.exit_code) == ("manifest-invalid", 2)


def test_bytes_that_are_not_utf_8(workspace: Workspace) -> None:
    assert workspace.problems(b"version: 1\n\xff") == [
        "lambdash.yaml:1:1: lambdash.yaml is not UTF-8 text: byte 11 cannot be read"
        " (hint: save it as UTF-8)"
    ]


def test_a_byte_order_mark_is_no_content(workspace: Workspace) -> None:
    problems = workspace.problems(b"\xef\xbb\xbfversion: 2\nfunctions: {}\n")
    assert problems[0].startswith("lambdash.yaml:1:10: `version` must be 1")


def test_what_is_not_a_file(workspace: Workspace) -> None:
    workspace.path.mkdir()
    with pytest.raises(ManifestInvalid, match=r"lambdash\.yaml is not a file"):
        load(workspace.path, LoadOptions({}))
    with pytest.raises(ManifestInvalid, match="No such file"):
        load(workspace.root / "none.yaml", LoadOptions({}))
    with pytest.raises(ManifestInvalid, match="is not a file"):
        load(workspace.path.__class__("/dev/zero"), LoadOptions({}))


def test_all_planted_mistakes_are_reported_in_one_run(workspace: Workspace) -> None:
    texts = {
        "region: moon": "2:9",
        "engine: swarm": "3:9",
        "pulll: never": "4:1",
        "parameters: {}": "5:1",
        "defaults: {timeout: 0, environment: {TZ: UTC, AWS_REGION: x}}": "6:21",
    }
    text = "version: 1\n" + "\n".join(texts) + "\n"
    text += (
        "functions:\n"
        "  one: {code: nowhere, runtime: python3.1, memory_size: 1, timeout: x}\n"
        "  two: {build: {command: make}, tags: {auth_type: NONE}, handler: x}\n"
        '  three: {image: "${env:NO}", environment: {OK: 1, B: [x], _HANDLER: x}}\n'
        "  four: {}\n"
    )
    found = [
        (problem.line, problem.column, problem.code) for problem in workspace.invalid(text).problems
    ]
    assert found == [
        (2, 9, "out-of-range"),
        (3, 9, "not-supported-yet"),
        (4, 1, "unknown-key"),
        (5, 1, "not-supported-yet"),
        (6, 21, "out-of-range"),
        (6, 47, "reserved-variable"),
        (8, 3, "no-handler"),
        (8, 15, "code-not-found"),
        (8, 33, "runtime-unknown"),
        (8, 57, "out-of-range"),
        (8, 69, "wrong-type"),
        (9, 17, "not-supported-yet"),
        (9, 33, "not-supported-yet"),
        (9, 58, "key-without-use"),
        (10, 19, "variable-not-set"),
        (10, 52, "bad-variable-name"),
        (10, 55, "wrong-type"),
        (10, 60, "reserved-variable"),
        (11, 3, "no-code"),
    ]


def test_problems_past_the_limit_are_counted(workspace: Workspace) -> None:
    keys = "".join(f"key{number}: 1\n" for number in range(150))
    problems = workspace.problems(HEAD + keys)
    assert len(problems) == 101
    assert problems[-1] == "... and 50 more"


@pytest.mark.parametrize(
    ("runtime", "newest"),
    [
        ("python", "python3.14"),
        ("nodejs", "nodejs24.x"),
        ("node", "nodejs24.x"),
        ("java", "java25"),
    ],
)
def test_a_family_is_answered_with_its_newest(
    workspace: Workspace, runtime: str, newest: str
) -> None:
    text = f"version: 1\nfunctions:\n  f: {{code: code, handler: a.b, runtime: {runtime}}}\n"
    (problem,) = workspace.problems(text)
    assert newest in problem
