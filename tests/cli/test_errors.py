"""Errors of the command line itself follow the contract: code, hint, exit code, shape."""

import json
from collections.abc import Callable

import pytest

from lambdash.cli.terminal import Terminal
from lambdash.errors import CallerError
from tests.cli.command_line import CommandLine, Ran


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("invoke",), "error: missing argument 'FUNCTION' (usage)"),
        (("invoke", "hello", "--type", "often"), "error: invalid value for '--type'"),
        (("stauts",), "error: there is no command `stauts` (command-not-found)"),
        (("invoke", ""), "error: invalid value for FUNCTION: it is empty (usage)"),
        (("invoke", "hello", "-p", "@nowhere"), "error: the payload file 'nowhere'"),
        (("completion", "tcsh"), "error: invalid value for"),
        (("validate", "nowhere.yaml"), "error: there is no manifest at nowhere.yaml"),
    ],
)
def test_the_caller_s_mistakes(
    inside: Callable[..., Ran], words: tuple[str, ...], message: str
) -> None:
    ran = inside(*words)
    shaped = inside(*words, "--json")
    assert (ran.code, shaped.code) == (2, 2)
    assert ran.stdout == b""
    assert ran.stderr.startswith(message)
    assert "\nhint: " in ran.stderr
    assert shaped.stderr == ""
    assert set(json.loads(shaped.stdout)["error"]) >= {"code", "message", "hint"}


def test_no_arguments_show_the_help(cli: CommandLine) -> None:
    ran = cli.run()
    assert ran.code == 0
    assert ran.text.startswith("Usage: lambdash")


def test_no_manifest_is_an_error_with_a_hint(cli: CommandLine) -> None:
    (cli.folder / "lambdash.yaml").unlink()
    for words in (("invoke", "hello"), ("status",), ("deploy",)):
        ran = cli.run(*words)
        assert ran.code == 2
        assert "(manifest-not-found)\nhint: `lambdash init` writes one" in ran.stderr


def test_the_manifest_is_found_upwards_and_named_by_option_or_variable(cli: CommandLine) -> None:
    deep = cli.folder / "a" / "b"
    deep.mkdir(parents=True)
    named = cli.folder / "lambdash.yaml"
    answers = [
        CommandLine(deep, cli.variables).run("status", "--json"),
        CommandLine(cli.folder.parent, cli.variables).run("-m", str(named), "status", "--json"),
        CommandLine(cli.folder.parent, cli.variables).run("status", "--json", "-m", str(named)),
        CommandLine(cli.folder.parent, {**cli.variables, "LAMBDASH_MANIFEST": str(named)}).run(
            "--json", "status"
        ),
    ]
    assert [json.loads(ran.stdout)["manifest"] for ran in answers] == [str(named)] * 4


def test_a_reader_that_leaves_early_causes_no_noise(cli: CommandLine) -> None:
    ran = cli.pipe_into_nothing("schema")
    assert ran.stderr == ""
    assert ran.code == 0


def test_an_invalid_manifest_lists_its_problems(cli: CommandLine) -> None:
    (cli.folder / "lambdash.yaml").write_text("version: 1\nfunktions: {}\n")
    ran, shaped = cli.run("validate"), cli.run("validate", "--json")
    assert (ran.code, shaped.code) == (2, 2)
    assert "lambdash.yaml:2:1: " in ran.stderr
    error = json.loads(shaped.stdout)["error"]
    assert error["code"] == "manifest-invalid"
    assert {"file", "line", "column", "message", "hint", "code"} == set(error["problems"][0])


def test_escape_sequences_of_a_name_are_shown_not_obeyed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = CallerError("manifest-invalid", "function `f\x1b[2J\x9b` is\nbroken", "rename \x07it")
    Terminal(colour=False).fail(error)
    assert capsys.readouterr().err == (
        "error: function `f\\x1b[2J\\x9b` is\nbroken (manifest-invalid)\nhint: rename \\x07it\n"
    )
