"""The quick parser of plain invokes agrees with click, and a warm invoke starts with little."""

import os

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.cli import quick
from lambdash.cli.application import application
from lambdash.cli.commands import invoke
from tests.cli.command_line import CommandLine
from tests.client.scripted_daemon import ScriptedDaemon, succeeded

_PLAIN = "hello -p --payload {} @f - -m --manifest m.yaml --json -q --quiet --cold --tail"
_OTHER = "--type dry-run -- --help -x -qp --no-color --payload={} -p{} --engine process --imports"
_WORDS = st.sampled_from([*_PLAIN.split(), *_OTHER.split(), ""])


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LAMBDASH_")]:
        monkeypatch.delenv(name)


@given(words=st.lists(_WORDS, max_size=6))
def test_what_quick_understands_click_understands_alike(words: list[str]) -> None:
    request = quick.parse(words)
    if request is None:
        return
    try:
        parent = application().make_context("lambdash", ["invoke"])
        params = invoke.command.make_context("invoke", list(words), parent=parent).params
    except click.ClickException as error:
        raise AssertionError(f"click refuses {words}: {error}") from error
    assert request.function == params["function"]
    assert request.payload == params["payload"]
    assert request.settings.manifest == params["manifest"]
    assert request.settings.engine == params["engine"]
    assert request.terminal.json == params["json"]
    assert request.terminal.quiet == params["quiet"]
    for name in ("type", "cold", "tail", "qualifier", "pull", "imports"):
        assert request.body[name] == params[name]


@pytest.mark.parametrize(
    "words", [["hello"], ["hello", "-p", "{}"], ["--engine", "process", "hello", "--json"]]
)
def test_the_usual_spellings_are_quick(words: list[str]) -> None:
    assert quick.parse(words) is not None


def test_a_variable_that_sets_an_option_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDASH_INVOKE_TAIL", "1")
    assert quick.parse(["hello"]) is None


def test_both_parsers_ask_the_daemon_the_same(cli: CommandLine) -> None:
    with ScriptedDaemon(cli.socket, {"invoke": [succeeded()]}) as daemon:
        plain = cli.run("invoke", "hello", "--tail")
        clicked = cli.run("invoke", "hello", LAMBDASH_INVOKE_TAIL="1")
    assert plain == clicked
    assert daemon.requests[0] == daemon.requests[1]
    assert daemon.requests[0][2]["tail"] is True


def test_a_warm_invoke_imports_nothing_slow(cli: CommandLine) -> None:
    with ScriptedDaemon(cli.socket, {"invoke": [succeeded()]}):
        ran = cli.run("invoke", "hello", "-p", "{}", python=("-X", "importtime"))
    assert ran.code == 0
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "lambdash.cli.invocation" in imported
    slow = {"asyncio", "botocore", "click", "dataclasses", "docker", "http.client", "inspect"}
    slow |= {"logging", "pathlib", "pydantic", "rich", "subprocess", "tempfile", "typing", "yaml"}
    slow |= {"lambdash.model", "lambdash.manifest", "lambdash.client.daemon_process"}
    assert imported & slow == set()
