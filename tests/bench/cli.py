"""The command line: a warm ``lambdash invoke``, the whole process, against ``python -c pass``."""

from __future__ import annotations

import sys

from figures import Figure, interleave, ratio
from options import Options
from processes import wall_ms
from project import ECHO, project
from runtimes import host_runtime

_ROUNDS = 30


def measure(options: Options) -> list[Figure]:
    """At least 30 rounds, interleaved, in the same virtual environment."""
    with project("process") as ours:
        ours.write("code/app.py", ECHO)
        function = {"code": "./code", "handler": "app.handler", "runtime": host_runtime()}
        ours.manifest({"hello": function})
        ours.invoke("hello")
        command = ours.command("invoke", "hello")
        floor = [sys.executable, "-c", "pass"]
        rounds = interleave(
            max(_ROUNDS, options.repeat),
            {
                "ours": lambda: wall_ms(command, ours.environ, ours.folder),
                "theirs": lambda: wall_ms(floor, ours.environ, ours.folder),
            },
        )
    name = "cli warm invoke, whole process"
    return [
        Figure(name, "ms", rounds["ours"], "python -c pass", rounds["theirs"], ratio(at_most=4.0))
    ]
