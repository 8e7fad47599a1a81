"""Runs the benchmarks: ``python tests/bench/run.py [NAME...]``. See README.md beside this file."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from figures import Figure, table
from options import Options
from peers import PeerMissing, Peers

BENCHMARKS = (
    "data_plane",
    "warm_container",
    "cold_docker",
    "cli",
    "idle",
    "edit",
    "reload",
)


def main() -> int:
    """Run what was named, print one table, write one JSON file; 1 when something could not run."""
    given = _arguments()
    options = Options(Peers(given.peers.absolute()), given.repeat, given.seconds)
    figures: list[Figure] = []
    problems: dict[str, str] = {}
    for name in given.names or BENCHMARKS:
        sys.stderr.write(f"{name} ...\n")
        begin = time.monotonic()
        try:
            for figure in importlib.import_module(name).measure(options):
                figures.append(figure)  # noqa: PERF402 - what came before a failure is kept
        except PeerMissing as missing:
            problems[name] = str(missing)
        except Exception:
            problems[name] = traceback.format_exc()
        sys.stderr.write(f"{name} took {time.monotonic() - begin:.0f} s\n")
    sys.stdout.write(f"{table(figures)}\n")
    for name, problem in problems.items():
        sys.stdout.write(f"\n{name} did not run: {problem}\n")
    given.output.write_text(json.dumps(_document(given, figures, problems), indent=1) + "\n")
    sys.stderr.write(f"written: {given.output}\n")
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure lambdash beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--peers", type=Path, default=Path("peers"), help="what peers.py made")
    parser.add_argument("--repeat", type=int, default=5, help="rounds of each comparison")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load run")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="the JSON file")
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return given


def _document(
    given: argparse.Namespace, figures: list[Figure], problems: dict[str, str]
) -> dict[str, Any]:
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "load_average": os.getloadavg(),
        },
        "repeat": given.repeat,
        "seconds": given.seconds,
        "figures": [figure.document() for figure in figures],
        "problems": problems,
    }


if __name__ == "__main__":
    sys.exit(main())
