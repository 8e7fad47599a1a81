"""The help of every command is pinned, and docs/cli.md names every command and option."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lambdash.cli.application import COMMANDS, application
from tests.cli import golden

_DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    group = application()
    context = click.Context(group, info_name="lambdash")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (name,), command
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                inner = command.get_command(context, below)
                assert inner is not None
                yield (name, below), inner


@pytest.mark.parametrize("words", [(), *(words for words, _ in commands())], ids=" ".join)
def test_help_is_stable(words: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(application(), [*words, "--help"], prog_name="lambdash")
    assert ran.exit_code == 0
    golden.check("help/" + "-".join(("lambdash", *words)), ran.output)


def test_every_command_and_option_is_documented() -> None:
    text = _DOCS.read_text()
    sections = {
        " ".join(re.findall(r"[a-z]+(?= |$)", head)): body
        for head, body in re.findall(r"^## `lambdash ([^`]+)`\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    }
    shared = text.partition("## Shared options")[2].partition("\n## ")[0]
    for words, command in commands():
        if isinstance(command, click.Group):
            continue
        section = sections.pop(" ".join(words))
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for spelling in parameter.opts:
                    assert f"`{spelling}" in section + shared, (words, spelling)
    assert sections == {}, "documented, but no commands"


def test_every_shared_option_has_its_variable_in_the_documentation() -> None:
    text = _DOCS.read_text()
    for option in application().params:
        if option.name != "version":
            assert f"`LAMBDASH_{str(option.name).upper()}`" in text, option.name


def test_a_short_text_for_every_command() -> None:
    assert all(text.endswith(".") for text in COMMANDS.values())
