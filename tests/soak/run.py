"""The long soak, run by hand: ``python tests/soak/run.py [process|docker]... [--invocations N]``.

Prints one line for each engine; the exit code is 1 when somebody was not answered as they should
be, or something was left over.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.engines.cases import CASES
from tests.session import Session
from tests.soak.soak import Plan, Tally, soak


async def run(engine: str, plan: Plan) -> Tally:
    """One engine's soak, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        tally = None
        try:
            async with CASES[engine]() as case:
                tally = await soak(case, Path(folder), plan)
        except AssertionError:
            if tally is None or not tally.left:
                raise  # what is left is told with the figures
        return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=list(CASES), choices=[*CASES, []])
    parser.add_argument("--invocations", type=int, default=10_000)
    parser.add_argument("--environments", type=int, default=32)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--kill-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = vars(parser.parse_args())
    engines = asked.pop("engines") or list(CASES)
    session = Session.begin()
    clean = True
    try:
        for engine in engines:
            began = time.monotonic()
            tally = asyncio.run(run(engine, Plan(**asked)))
            tell(engine, tally, time.monotonic() - began)
            clean = clean and not tally.left
        return 0 if clean and not session.leftovers() else 1
    finally:
        session.end()


def tell(engine: str, tally: Tally, seconds: float) -> None:
    """One line of figures."""
    outcomes = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.outcomes.items()))
    sys.stdout.write(
        f"{engine}: {tally.answered} callers in {seconds:.0f} s: {outcomes};"
        f" {tally.kills} sandboxes killed, {tally.harmed} of their callers told so;"
        f" {len(tally.launched)} environments served; left over: {tally.left or 'nothing'}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
