"""What YAML says and what is meant: literal text, references, merge keys."""

from collections.abc import Mapping

import pytest
import yaml

from lambdash.manifest import document
from tests.manifest.conftest import Workspace

FUNCTION = "version: 1\nfunctions: {{f: {{image: x, {}}}}}\n"


def environment(
    workspace: Workspace, written: str, environ: Mapping[str, str] | None = None
) -> str:
    text = FUNCTION.format(f"environment: {{VALUE: {written}}}")
    manifest = workspace.load(text, environ)
    return dict(manifest.functions["f"].configuration.environment)["VALUE"]


def description(
    workspace: Workspace, written: str, environ: Mapping[str, str] | None = None
) -> str:
    text = FUNCTION.format(f"description: {written}")
    return workspace.load(text, environ).functions["f"].configuration.description


@pytest.mark.parametrize(
    "written",
    ["1", "1.10", "0123", "0x1F", "1_000", "12:30:45", "1e3", ".5", "-0", "on", "No", "TRUE",
     "2001-01-01", "=", "y", "9" * 5000, "12345678901234567890"],
)  # fmt: skip
def test_variables_are_their_source_text(workspace: Workspace, written: str) -> None:
    if len(written) > 4000:
        written = written[:4000]
    assert environment(workspace, written) == written


@pytest.mark.parametrize(
    ("written", "text"),
    [('""', ""), ("'~'", "~"), ("!!str 1", "1"), ("! 1", "1"), ('"a\\nb"', "a\nb")],
)
def test_quoted_text(workspace: Workspace, written: str, text: str) -> None:
    assert environment(workspace, written) == text
    assert description(workspace, written) == text


def test_other_text_that_yaml_1_1_takes_for_numbers(workspace: Workspace) -> None:
    for written in ("12:30:45", "0123", "0x1F", "1_000", "2001-01-01", ".inf"):
        assert description(workspace, written) == written


def test_account_id_needs_no_quotes(workspace: Workspace) -> None:
    manifest = workspace.load("version: 1\naccount_id: 012345678901\nfunctions: {}\n")
    assert manifest.account_id == "012345678901"


def test_keys_are_their_source_text(workspace: Workspace) -> None:
    manifest = workspace.load(
        "version: 1\nfunctions: {on: {image: x}, 123: {image: x}, 0x10: {image: x}}\n"
    )
    assert list(manifest.functions) == ["on", "123", "0x10"]


def test_build_arguments_are_text(workspace: Workspace) -> None:
    text = "version: 1\nfunctions: {f: {build: {args: {VERSION: 1.10, FAST: yes}}}}\n"
    assert workspace.load(text).functions["f"].source.arguments == (
        ("FAST", "yes"),
        ("VERSION", "1.10"),
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${env:NAME}", "Ada"),
        ("a${env:NAME}b${env:NAME}", "aAdabAda"),
        ('"${env:NONE:-default}"', "default"),
        ('"${env:NONE:-}"', ""),
        ('"${env:EMPTY:-default}"', ""),
        ('"$${env:NAME}"', "${env:NAME}"),
        ('"$$${env:NAME}"', "$${env:NAME}"),
        ('"${HOME} ${AWS::Region}"', "${HOME} ${AWS::Region}"),
        ('"${env:NUMBER}"', "7"),
        ('"${env:NESTED}"', "${env:NAME}"),
    ],
)
def test_references(workspace: Workspace, written: str, text: str) -> None:
    environ = {"NAME": "Ada", "EMPTY": "", "NUMBER": "7", "NESTED": "${env:NAME}"}
    if "AWS::" not in written and "{env" in written and not written.startswith('"'):
        written = f'"{written}"'
    assert description(workspace, written, environ) == text
    assert environment(workspace, written, environ) == text


def test_references_in_numbers_choices_and_lists(workspace: Workspace) -> None:
    text = """\
        version: 1
        region: ${env:REGION:-eu-west-1}
        engine: ${env:ENGINE:-process}
        functions:
          f:
            image: ${env:REPO:-shop}:${env:TAG:-1.10}
            timeout: ${env:TIMEOUT}
            keep_alive: ${env:KEEP:-1.5}
            image_config: {command: ["${env:COMMAND:-run}"]}
        """
    manifest = workspace.load(text, {"TIMEOUT": "30"})
    function = manifest.functions["f"]
    assert (manifest.region, manifest.engine) == ("eu-west-1", "process")
    assert function.source.reference == "shop:1.10"
    assert (function.configuration.timeout_s, function.scaling.keep_alive_s) == (30, 1.5)
    assert function.configuration.image_config.command == ("run",)
    assert workspace.problems(text, environ={"TIMEOUT": "x"}) == [
        "lambdash.yaml:7:14: `timeout` must be a whole number, not the text `x`"
    ]
    assert workspace.problems(text, environ={"TIMEOUT": "1e3", "KEEP": "soon"})[1:] == [
        "lambdash.yaml:8:17: `keep_alive` must be a number, not the text `soon`"
    ]


def test_a_reference_to_what_is_not_text(workspace: Workspace) -> None:
    problems = workspace.problems(
        FUNCTION.format("description: '${env:X}'"), environ={"X": "\udcff"}
    )
    assert problems == ["lambdash.yaml:2:41: the variable `X` is not UTF-8 text"]


def test_a_reference_on_several_lines_is_placed_at_its_scalar(workspace: Workspace) -> None:
    text = (
        "version: 1\nfunctions:\n  f:\n    image: x\n    description: >\n      a\n      ${env:NO}\n"
    )
    assert workspace.problems(text)[0].startswith("lambdash.yaml:5:18: the variable `NO`")


def test_a_reference_behind_an_alias_is_reported_once(workspace: Workspace) -> None:
    text = "version: 1\nfunctions:\n  a: &a {image: x, description: '${env:TEXT}'}\n  b: *a\n"
    functions = workspace.load(text, {"TEXT": "t"}).functions.values()
    assert [function.configuration.description for function in functions] == ["t", "t"]
    assert len(workspace.problems(text)) == 1


def test_merge_keys(workspace: Workspace) -> None:
    text = """\
        version: 1
        functions:
          a: &a {image: x, timeout: 5, environment: {AA: a}}
          b: {<<: *a, timeout: 6}
          c: {timeout: 7, <<: [{image: y}, *a]}
          d: *a
        """
    functions = workspace.load(text).functions
    assert [function.configuration.timeout_s for function in functions.values()] == [5, 6, 7, 5]
    assert functions["c"].source.reference == "y"
    assert functions["b"].configuration.environment == (("AA", "a"),)


def test_the_pure_loader_gives_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FUNCTION.format('environment: {AA: on, BB: "x\\ty"}')
    expected = workspace.load(text)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert workspace.load(text) == expected
    assert workspace.problems("version: 1\n\tx: 1\n")[0].startswith("lambdash.yaml:2:1: a tab")
    problems = workspace.problems(FUNCTION.format('description: "\\ud800"'))
    assert problems == ["lambdash.yaml:2:40: NUL and lone surrogates cannot be used in text"]
