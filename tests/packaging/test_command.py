import asyncio
import os
import sys
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.packaging.command import Command, Ended, run


def python(script: str, folder: Path) -> Command:
    return Command([sys.executable, "-c", script], folder, {"PATH": os.environ["PATH"]})


async def test_lines_are_told_and_the_outer_ones_are_kept(tmp_path: Path) -> None:
    said: list[str] = []
    script = "import sys\nfor n in range(100): print(f'  line {n}')\nsys.exit(3)"
    ended = await run(python(script, tmp_path), said.append)
    assert said == [f"line {number}" for number in range(100)]
    assert ended.exit_code == 3
    assert len(ended.lines) == limits.COMMAND_FIRST_LINES_KEPT + 1 + limits.COMMAND_LAST_LINES_KEPT
    assert (ended.lines[0], ended.lines[-1]) == ("  line 0", "  line 99")
    assert "... 70 lines left out ..." in ended.lines


async def test_escapes_and_credentials_never_come_through(tmp_path: Path) -> None:
    script = r"print('\x1b[31mred\x1b[0m https://me:secret@index.example/simple')"
    ended = await run(python(script, tmp_path), lambda text: None)
    assert ended == Ended(0, ("red https://****@index.example/simple",))


async def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    script = "import sys\nfor _ in range(50): sys.stdout.write('x' * 100_000)"
    ended = await run(python(script, tmp_path), lambda text: None)
    assert [len(line) for line in ended.lines] == [limits.COMMAND_LINE_MAX_CHARS]


async def test_a_cancelled_caller_leaves_no_process(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'],"
        " stdin=subprocess.PIPE)\n"
        "print(os.getpid(), child.pid, flush=True)\nchild.wait()"
    )
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(python(script, tmp_path), told.set_result))
    group, child = (int(word) for word in (await told).split())
    assert os.getpgid(child) == group
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(group, 0)
