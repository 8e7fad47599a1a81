"""Show that the pool's suite fails on each known defect: ``python tests/mutants/run.py [NAME...]``.

Each patch beside this file is applied to a temporary copy of the package and its tests; there the
stateful machine and the other tests run apart, with a fixed seed and number of examples. The
unpatched copy must pass both, each patched one must fail at least one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = 40
TIMEOUT_S = 60
COPIES_AT_ONCE = 2
MACHINE = "tests/pool/test_pool_machine.py"
PASSED, FAILED = 0, 1  # pytest's exit codes; any other is an accident of ours


def patches() -> list[Path]:
    return sorted(HERE.glob("*.patch"))


def applies(patch: Path, root: Path = ROOT) -> bool:
    """Whether the patch fits the sources as they are."""
    return _git_apply(root, "--check", str(patch)) == 0


def _git_apply(root: Path, *arguments: str) -> int:
    command = ["git", "apply", *arguments]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


def _copy(root: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "bin", "node_modules")
    shutil.copytree(ROOT / "lambdash", root / "lambdash", ignore=ignored)
    shutil.copytree(ROOT / "tests" / "pool", root / "tests" / "pool", ignore=ignored)
    shutil.copy(ROOT / "tests" / "__init__.py", root / "tests")
    shutil.copy(ROOT / "pyproject.toml", root)


def _verdict(root: Path, *selection: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "LAMBDASH_POOL_EXAMPLES": str(EXAMPLES),
        "LAMBDASH_POOL_SHRINK": "no",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly"]
    command += ["-p", "no:cacheprovider", "--hypothesis-seed=0", *selection]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return "killed"  # a loop without end is a failure too
    return {PASSED: "survived", FAILED: "killed"}.get(done.returncode, "accident")


def judge(patch: Path | None) -> tuple[str, str, float]:
    """What the machine and the other tests make of it, and the seconds that took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lambdash-mutant-") as folder:
        root = Path(folder)
        _copy(root)
        if patch is not None and _git_apply(root, str(patch)) != 0:
            return "accident", "accident", time.monotonic() - began
        machine = _verdict(root, MACHINE)
        others = _verdict(root, "tests/pool", f"--ignore={MACHINE}")
    return machine, others, time.monotonic() - began


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    chosen = [patch for patch in patches() if not names or patch.stem in names]
    failures = 0
    say(f"{'mutant':40} {'machine':9} {'others':9} seconds")
    with ThreadPoolExecutor(COPIES_AT_ONCE) as executor:
        for patch, verdicts in zip(
            [None, *chosen], executor.map(judge, [None, *chosen]), strict=True
        ):
            machine, others, seconds = verdicts
            is_right = (
                {machine, others} == {"survived"} if patch is None else "killed" in verdicts[:2]
            ) and "accident" not in verdicts[:2]
            failures += not is_right
            name = "(none)" if patch is None else patch.stem
            mark = "" if is_right else "  <- wrong"
            say(f"{name:40} {machine:9} {others:9} {seconds:5.1f}{mark}")
    say(f"{len(chosen)} mutants, {failures} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
