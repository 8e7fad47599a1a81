"""A source-only edit of a function with requests, pydantic and boto3: until the new code answers.

The other side is ``sam build --cached`` alone, of the same source, which does not answer anything.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, Rounds, ratio
from options import Options
from peers import environment
from processes import wall_ms
from project import Project, project
from runtimes import host_runtime

_REQUIREMENTS = "requests\npydantic\nboto3\n"
_HANDLER = """import boto3
import pydantic
import requests

EDITION = {edition}


def handler(event, context):
    return {{"edition": EDITION, "versions": [boto3.__version__, requests.__version__]}}
"""
_TEMPLATE = """AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: %s, Handler: app.handler, CodeUri: ./code, MemorySize: 512, Timeout: 30}
"""


def measure(options: Options) -> list[Figure]:
    """Edits of both projects, one after the other; docker engine where it is the default."""
    sam = options.peers.sam()
    rounds = Rounds()
    with _ours() as ours, _theirs() as folder:
        build: list[str | Path] = [sam, "build", "--cached", "--template-file", "template.yaml"]
        wall_ms(build, environment(), folder)
        for edition in range(1, options.repeat + 1):
            source = _HANDLER.format(edition=edition)
            rounds.add("ours", _edit_ours(ours, source, edition))
            (folder / "code" / "app.py").write_text(source)
            rounds.add("theirs", wall_ms(build, environment(), folder))
    name = "edit -> new code answers (requests, pydantic, boto3)"
    target = ratio(at_most=0.2)
    return [Figure(name, "ms", rounds["ours"], "sam build --cached", rounds["theirs"], target)]


@contextlib.contextmanager
def _ours() -> Iterator[Project]:
    with project("docker") as ours:
        ours.write("code/app.py", _HANDLER.format(edition=0))
        ours.write("code/requirements.txt", _REQUIREMENTS)
        ours.manifest(
            {
                "hello": {
                    "code": "./code",
                    "handler": "app.handler",
                    "runtime": host_runtime(),
                    "memory_size": 512,
                    "timeout": 30,
                }
            }
        )
        assert _edition(ours) == 0
        yield ours


def _edit_ours(ours: Project, source: str, edition: int) -> float:
    ours.write("code/app.py", source)
    answer = ours.folder / "answer.json"
    command = f"exec '{ours.command()[0]}' invoke hello > '{answer}'"
    taken_ms = wall_ms(["sh", "-c", command], ours.environ, ours.folder)
    answered = json.loads(answer.read_text())["edition"]
    assert answered == edition, f"edition {edition} was written, {answered} answered"
    return taken_ms


def _edition(ours: Project) -> int:
    return int(ours.invoke("hello")["payload"]["edition"])


@contextlib.contextmanager
def _theirs() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lambdash-bench-sam-"))
    try:
        (folder / "code").mkdir()
        (folder / "template.yaml").write_text(_TEMPLATE % host_runtime())
        (folder / "code" / "requirements.txt").write_text(_REQUIREMENTS)
        (folder / "code" / "app.py").write_text(_HANDLER.format(edition=0))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
