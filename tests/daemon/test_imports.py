"""Import costs from the interpreter's own report."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambdash.daemon.imports import import_costs, parse
from lambdash.engines.protocol import SandboxSpec
from lambdash.errors import CallerError
from lambdash.model import FunctionConfiguration, Revision, ZipPackage
from lambdash.testing import FakeEngine, FakeSandbox, Hang

REPORT = """import time: self [us] | cumulative | imported package
import time:       120 |        120 |   _io
a line of the function's own
import time:      1000 |       4120 | app
import time:       300 |       3000 |     requests.adapters
"""


def test_dearest_first_whatever_stands_between() -> None:
    assert parse(REPORT) == [
        {"module": "app", "self_us": 1000, "cumulative_us": 4120},
        {"module": "requests.adapters", "self_us": 300, "cumulative_us": 3000},
        {"module": "_io", "self_us": 120, "cumulative_us": 120},
    ]


def test_nothing_to_read() -> None:
    assert parse("") == []


def test_this_interpreters_report_is_read() -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-c", "import json"],
        capture_output=True,
        text=True,
        check=True,
    )
    costs = {row["module"]: row for row in parse(ran.stderr)}
    assert costs["json"]["cumulative_us"] >= costs["json.decoder"]["self_us"] >= 0


async def hang(event: object) -> object:
    raise Hang


class Talkative(FakeEngine):
    """Its sandboxes write the report as they start."""

    async def launch(self, *arguments: Any) -> FakeSandbox:
        sandbox = await super().launch(*arguments)
        self.given = sandbox.variables
        sandbox.print(REPORT, "stderr")
        return sandbox


def spec(runtime: str) -> SandboxSpec:
    configuration = FunctionConfiguration("hello", runtime, "app.handler")
    return SandboxSpec(Revision(configuration, ZipPackage("0", 1)), Path())


async def test_the_sandbox_is_asked_for_times_and_is_removed() -> None:
    engine = Talkative(lambda: hang)
    costs = await import_costs(engine, spec("python3.13"), (("A", "1"),))
    assert [row["module"] for row in costs] == ["app", "requests.adapters", "_io"]
    assert engine.given == {"A": "1", "PYTHONPROFILEIMPORTTIME": "1"}
    assert engine.sandboxes == {}


async def test_only_python_has_imports() -> None:
    with pytest.raises(CallerError) as raised:
        await import_costs(FakeEngine(lambda: hang), spec("nodejs22.x"), ())
    assert raised.value.code == "imports-need-python"
