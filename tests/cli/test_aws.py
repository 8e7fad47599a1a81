"""`env` and `aws`: AWS's own clients pointed at the daemon."""

import json
import shlex
from pathlib import Path

from tests.cli.command_line import CommandLine
from tests.client.scripted_daemon import Event, ScriptedDaemon

TOLD: Event = {
    "event": "result",
    "endpoint": "http://127.0.0.1:4567",
    "region": "eu-west-1",
    "access_key_id": "AKLOCAL",
    "secret_access_key": "my secret",
}
EXPECTED = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4567",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKLOCAL",
    "AWS_SECRET_ACCESS_KEY": "my secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_TELLING = """#!/bin/sh
for word in "$@"; do echo "argument $word"; done
env | grep ^AWS_ | sort
exit 7
"""


def installed(cli: CommandLine) -> str:
    """A PATH with an `aws` that tells what it was given."""
    folder = cli.folder / "bin"
    folder.mkdir()
    program = folder / "aws"
    program.write_text(_TELLING)
    program.chmod(0o755)
    return f"{folder}:{cli.variables['PATH']}"


def test_env_is_for_eval(cli: CommandLine) -> None:
    with ScriptedDaemon(cli.socket, {"env": [TOLD]}):
        text, shaped = cli.run("env"), cli.run("env", "--json")
    lines = text.text.splitlines()
    assert lines[:-1] == [f"export {name}={shlex.quote(value)}" for name, value in EXPECTED.items()]
    assert lines[-1].startswith("unset AWS_PROFILE ")
    assert json.loads(shaped.stdout)["variables"] == EXPECTED


def test_aws_gets_its_own_words(cli: CommandLine) -> None:
    words = ("aws", "lambda", "invoke", "--function-name", "x", "--output", "json", "-")
    with ScriptedDaemon(cli.socket, {"env": [TOLD]}):
        ran = cli.run(*words, PATH=installed(cli), AWS_PROFILE="work", AWS_SESSION_TOKEN="t")
    told = ran.text.splitlines()
    assert ran.code == 7
    given = ["--endpoint-url", str(TOLD["endpoint"]), *words[1:]]
    assert told[: len(given)] == [f"argument {word}" for word in given]
    assert dict(line.split("=", 1) for line in told[len(given) :]) == EXPECTED


def test_an_endpoint_that_is_named_stays(cli: CommandLine) -> None:
    words = ("aws", "sqs", "list-queues", "--endpoint-url=http://127.0.0.1:9")
    with ScriptedDaemon(cli.socket, {"env": [TOLD]}):
        ran = cli.run(*words, PATH=installed(cli))
    assert [line for line in ran.text.splitlines() if line.startswith("argument ")] == [
        f"argument {word}" for word in words[1:]
    ]


def test_without_the_aws_cli(cli: CommandLine, tmp_path: Path) -> None:
    with ScriptedDaemon(cli.socket, {"env": [TOLD]}):
        ran = cli.run("aws", "lambda", "list-functions", PATH=str(tmp_path))
    assert ran.code == 2
    assert "(aws-not-found)" in ran.stderr
