"""What is built later is refused by name, wherever a person would write it."""

import pytest

from lambdash.manifest import ManifestInvalid, Problem, later
from tests.manifest.conftest import Workspace

FUNCTION = "version: 1\nfunctions: {{f: {{image: x, {}: {{a: 1}}}}}}\n"


def only(error: ManifestInvalid) -> Problem:
    (problem,) = error.problems
    return problem


@pytest.mark.parametrize("key", later.SECTIONS)
def test_sections(workspace: Workspace, key: str) -> None:
    texts = [f"version: 1\nfunctions: {{}}\n{key}: {{a: b}}\n"]
    texts.append(f"version: 1\nfunctions: {{}}\ndefaults: {{{key}: [a]}}\n")
    texts.append(FUNCTION.format(key))
    for text in texts:
        problem = only(workspace.invalid(text))
        assert problem.code == "not-supported-yet"
        assert problem.message.startswith(f"`{key}`")
        assert problem.message.endswith("is not supported yet")


@pytest.mark.parametrize("key", later.BUILD_KEYS)
def test_builds(workspace: Workspace, key: str) -> None:
    problem = only(workspace.invalid(f"version: 1\nfunctions: {{f: {{build: {{{key}: a}}}}}}\n"))
    assert (problem.line, problem.column) == (2, 25)
    assert problem.message == f"`{key}` ({later.BUILD_KEYS[key]}) is not supported yet"


@pytest.mark.parametrize("key", later.LIMIT_KEYS)
def test_limits(workspace: Workspace, key: str) -> None:
    problem = only(workspace.invalid(f"version: 1\nfunctions: {{}}\nlimits: {{{key}: 5}}\n"))
    assert (problem.line, problem.column, problem.code) == (3, 10, "not-supported-yet")


@pytest.mark.parametrize("kind", later.EVENT_SOURCES)
@pytest.mark.parametrize("value", ["jobs", "{queue: jobs}"])
def test_event_sources(workspace: Workspace, kind: str, value: str) -> None:
    text = f"version: 1\nfunctions: {{f: {{image: x, event_sources: [{{{kind}: {value}}}]}}}}\n"
    problem = only(workspace.invalid(text))
    assert (problem.line, problem.column, problem.code) == (2, 44, "not-supported-yet")
    assert f"the event source `{kind}`" in problem.message


def test_aws_spelling_of_what_is_built_later(workspace: Workspace) -> None:
    text = "version: 1\nfunctions: {f: {image: x, SnapStart: {}, VpcConfig: {}}}\n"
    assert workspace.problems(text) == [
        "lambdash.yaml:2:27: `SnapStart` is not supported yet",
        "lambdash.yaml:2:42: `VpcConfig` (AWS's VPCs) is not supported yet"
        " (hint: `network` joins an existing network of the engine)",
    ]


def test_event_sources_that_are_nothing(workspace: Workspace) -> None:
    text = "version: 1\nfunctions:\n  f: {image: x, event_sources: {}}\n"
    text += "  g: {image: x, event_sources: [a, {sqss: b}, {http: /a, sqs: b}]}\n"
    hint = "(hint: write `- sqs: NAME` or `- http: GET /path`"
    assert workspace.problems(text) == [
        f"lambdash.yaml:3:32: `event_sources` must be a list {hint}, one a line)",
        f"lambdash.yaml:4:33: an event source is a mapping of one kind {hint})",
        "lambdash.yaml:4:37: unknown event source `sqss` (hint: did you mean `sqs`?)",
        f"lambdash.yaml:4:47: an event source is a mapping of one kind {hint})",
    ]


def test_a_function_may_be_called_like_a_section(workspace: Workspace) -> None:
    manifest = workspace.load("version: 1\nfunctions: {build: {image: x}, limits: {image: y}}\n")
    assert list(manifest.functions) == ["build", "limits"]
    problem = only(workspace.invalid("version: 1\nfunctions: {build: {image: x, tracing: []}}\n"))
    assert problem.code == "not-supported-yet"
