"""Where variables come from, and which one wins."""

import json
from typing import Any

import pytest

from lambdash.manifest import LoadOptions, Manifest, ManifestInvalid, load
from tests.manifest.conftest import Workspace

LAYERED = """\
    version: 1
    env_file: project.env
    defaults: {environment: {L2: defaults, L3: defaults, L4: defaults, L5: defaults, L6: defaults}}
    functions:
      f:
        image: x
        env_file: [one.env, two.env]
        environment: {L4: own, L5: own, L6: own}
      g: {image: x}
    """


@pytest.fixture
def layered(workspace: Workspace) -> Workspace:
    workspace.write("project.env", "".join(f"L{n}=project\n" for n in range(1, 7)))
    workspace.write("one.env", "L3=one\nL4=one\nL5=one\nL6=one\nONE=1\n")
    workspace.write("two.env", "L3=two\n")
    return workspace


def variables(manifest: Manifest, name: str) -> dict[str, str]:
    return dict(manifest.functions[name].configuration.environment)


def test_precedence(layered: Workspace) -> None:
    given = {
        "Parameters": {"L5": "all", "L6": "all", "NEW": True},
        "f": {"L6": "mine", "NUM": 1.10},
    }
    path = layered.write("vars.json", json.dumps(given))
    manifest = layered.load(LAYERED, env_vars=path)
    assert variables(manifest, "f") == {
        "L1": "project", "L2": "defaults", "L3": "two", "L4": "own", "L5": "all", "L6": "mine",
        "ONE": "1", "NEW": "true", "NUM": "1.1",
    }  # fmt: skip
    assert variables(manifest, "g") == {
        "L1": "project", "L2": "defaults", "L3": "defaults", "L4": "defaults", "L5": "all",
        "L6": "all", "NEW": "true",
    }  # fmt: skip
    assert [path.name for path in manifest.env_files] == ["project.env", "one.env", "two.env"]
    assert list(variables(manifest, "f")) == sorted(variables(manifest, "f"))


def test_dotenv(workspace: Workspace) -> None:
    workspace.write(
        "all.env",
        """\
        # a comment

        PLAIN=a b  # said so
        export EXPORTED = yes
        HASH=a#b
        EMPTY=
        BLANK=   # nothing
        SINGLE='a "b" \\n $C'  # c
        DOUBLE="a 'b' \\n\\t\\"\\\\ \\$C"
        LINES="one
        two"
        AFTER=1
        EQUALS=a=b==
        REFERENCE=${env:HOME}
        """,
    )
    manifest = workspace.load("version: 1\nenv_file: all.env\nfunctions: {f: {image: x}}\n")
    assert variables(manifest, "f") == {
        "PLAIN": "a b", "EXPORTED": "yes", "HASH": "a#b", "EMPTY": "", "BLANK": "",
        "SINGLE": 'a "b" \\n $C', "DOUBLE": "a 'b' \n\t\"\\ $C", "LINES": "one\ntwo",
        "AFTER": "1", "EQUALS": "a=b==", "REFERENCE": "${env:HOME}",
    }  # fmt: skip


def test_dotenv_with_windows_line_ends(workspace: Workspace) -> None:
    (workspace.root / "a.env").write_bytes(b"\xef\xbb\xbfAA=1\r\nBB='2'\r\n")
    manifest = workspace.load("version: 1\nenv_file: a.env\nfunctions: {f: {image: x}}\n")
    assert variables(manifest, "f") == {"AA": "1", "BB": "2"}


def test_problems_of_an_env_file_have_its_lines(workspace: Workspace) -> None:
    workspace.write(
        "a.env", "OK=1\n  JUST_A_NAME\nAWS_REGION=x\nQUOTE='a\nSET=2\nTAIL='a' b\nA-B=1\n"
    )
    assert workspace.problems(
        "version: 1\nenv_file: [a.env, a.env]\nfunctions: {f: {image: x}}\n"
    ) == [
        "a.env:2:3: not a `NAME=value` line: `JUST_A_NAME`"
        " (hint: comments begin with `#`; a value may be empty, as in `NAME=`)",
        "a.env:3:1: `AWS_REGION` is reserved by AWS Lambda"
        " (hint: set `region` at the top of the manifest)",
        "a.env:4:1: the value of `QUOTE` cannot be read"
        " (hint: close its quotes, and write nothing but a comment after them)",
        "a.env:6:1: the value of `TAIL` cannot be read"
        " (hint: close its quotes, and write nothing but a comment after them)",
        "a.env:7:1: `A-B` is not a variable name AWS accepts (hint: use a letter first, then"
        " letters, digits and `_`, two characters or more)",
    ]


def test_duplicates_in_an_env_file(workspace: Workspace) -> None:
    workspace.write("a.env", "AA=1\nBB=2\nAA=3\n")
    assert workspace.problems("version: 1\nenv_file: a.env\nfunctions: {f: {image: x}}\n") == [
        "a.env:3:1: `AA` is set a second time (hint: it is first set on line 1)"
    ]


def test_an_env_file_that_is_not_there(workspace: Workspace) -> None:
    text = "version: 1\nenv_file: [no.env]\nfunctions: {f: {image: x, env_file: none.env}}\n"
    assert workspace.problems(text) == [
        "lambdash.yaml:2:12: cannot read no.env: No such file or directory",
        "lambdash.yaml:3:37: cannot read none.env: No such file or directory",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "1:2: not JSON: Expecting property name enclosed in double quotes"),
        ("[]", '1:1: environment variables by function are a JSON object (hint: write'
         ' `{"Parameters": {"NAME": "value"}, "FUNCTION": {"NAME": "value"}}`)'),
        ('{\n  "F": {}}', "2:3: function `F` is not in the manifest (hint: did you mean `f`?)"),
        ('{\n"f": 1}', "2:1: `f` must be an object of variables"),
        ('{"f":\n {"AA": [1]}}', "2:3: `AA` must be text"),
        ('{"f":\n {"AA": "\\ud800"}}', "2:3: NUL and lone surrogates cannot be used in text"),
        ('{"f": {"_HANDLER": ""}}',
         "1:8: `_HANDLER` is reserved by AWS Lambda (hint: set `handler`)"),
        ("[" * 100_000, "1:1: values are nested too deeply"),
    ],
)  # fmt: skip
def test_problems_of_an_env_vars_file(workspace: Workspace, content: Any, problem: str) -> None:
    path = workspace.write("vars.json", content)
    problems = workspace.problems("version: 1\nfunctions: {f: {image: x}}\n", env_vars=path)
    assert problems == [f"vars.json:{problem}"]


def test_numbers_and_null_in_an_env_vars_file(workspace: Workspace) -> None:
    path = workspace.write(
        "vars.json", '{"f": {"AA": 1.10, "BB": null, "CC": false, "DD": 1e999, "EE": NaN}}'
    )
    manifest = workspace.load("version: 1\nfunctions: {f: {image: x}}\n", env_vars=path)
    assert variables(manifest, "f") == {
        "AA": "1.10",
        "BB": "",
        "CC": "false",
        "DD": "1e999",
        "EE": "NaN",
    }


def test_an_env_vars_file_that_is_not_there(workspace: Workspace) -> None:
    workspace.write("lambdash.yaml", "version: 1\nfunctions: {}\n")
    with pytest.raises(ManifestInvalid, match=r"no\.json:1:1: cannot read .*no\.json"):
        load(workspace.path, LoadOptions({}, workspace.root / "no.json"))


def test_what_others_bring_counts_against_4_kb(workspace: Workspace) -> None:
    workspace.write("a.env", f"AA={'x' * 3000}\n")
    text = "version: 1\nenv_file: a.env\nfunctions:\n  f: {image: x}\n"
    text += f"  g: {{image: x, environment: {{BB: {'y' * 1200}}}}}\n"
    (problem,) = workspace.invalid(text).problems
    assert (problem.line, problem.column, problem.code) == (5, 17, "environment-too-big")
