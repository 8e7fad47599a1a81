import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdash.errors import CallerError
from lambdash.packaging import Ignore


def rules(tmp_path: Path, text: str) -> Ignore:
    (tmp_path / ".lambdashignore").write_text(text)
    return Ignore.for_folder(tmp_path)


@pytest.mark.parametrize(
    ("path", "is_dir"),
    [
        (".git", True),
        (".git/config", False),
        ("a/.lambdash/state", False),
        ("pkg/__pycache__/x.cpython-312.pyc", False),
        ("x.pyc", False),
        (".DS_Store", False),
        ("a/app.py~", False),
        (".app.py.swp", False),
        (".#app.py", False),
        ("#app.py#", False),
        (".lambdashignore", False),
    ],
)
def test_always_ignored(tmp_path: Path, path: str, is_dir: bool) -> None:
    assert Ignore.for_folder(tmp_path).ignored(path, is_dir)


@pytest.mark.parametrize("path", ["app.py", "gitignore", "lib/data.git.txt", ".env", "a#b"])
def test_kept(tmp_path: Path, path: str) -> None:
    assert not Ignore.for_folder(tmp_path).ignored(path, False)


def test_a_virtual_environment_is_known_by_its_configuration(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / "venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    ignore = Ignore.for_folder(tmp_path)
    assert ignore.ignored(".venv", True)
    assert ignore.ignored(".venv/lib/six.py", False)
    assert not ignore.ignored("venv", True)


def test_the_user_takes_a_built_in_rule_back(tmp_path: Path) -> None:
    assert not rules(tmp_path, "!*.pyc\n").ignored("compiled.pyc", False)


def test_the_callers_own_patterns_win(tmp_path: Path) -> None:
    (tmp_path / ".lambdashignore").write_text("!node_modules\n")
    ignore = Ignore.for_folder(tmp_path, "/node_modules/")
    assert ignore.ignored("node_modules/a/index.js", False)
    assert not ignore.ignored("lib/node_modules/a/index.js", False)


@pytest.mark.parametrize(
    "text", ["[abc\n", "x[[:alpha:]]\n", "a/**/b/**/c/**/d/**/e/**/f\n", "x" * 2000]
)
def test_what_is_not_read_is_refused_by_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CallerError) as caught:
        rules(tmp_path, "# a comment\n" + text)
    assert caught.value.code == "ignore-invalid"
    assert ".lambdashignore:2" in caught.value.message


def test_an_ignore_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / ".lambdashignore").write_bytes(b"\xff\xfe")
    with pytest.raises(CallerError, match="UTF-8"):
        Ignore.for_folder(tmp_path)


def test_many_stars_match_in_linear_time(tmp_path: Path) -> None:
    assert not rules(tmp_path, "*a" * 60 + "b").ignored("a" * 255, False)


NAMES = ["a", "b", "ab", "a.txt", "b.log", "foo", "f o", "[x]", "x-y"]
PATHS = [
    "/".join(parts)
    for parts in [
        *((name,) for name in NAMES),
        *((first, second) for first in ("a", "foo") for second in NAMES),
        *((first, "b", second) for first in ("a", "foo") for second in NAMES),
    ]
]
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "foo",
        "*",
        "?",
        ".txt",
        "*.log",
        "[ab]",
        "[!a]",
        "[a-f]*",
        "\\[x\\]",
        " ",
    ]
)
# git reads `a**/b` as `a/**/b`, against its own documentation: stars are doubled alone only.
SEGMENTS = st.one_of(
    st.just("**"),
    st.lists(ATOMS, min_size=1, max_size=3).map("".join).filter(lambda text: "**" not in text),
)
PATTERNS = st.builds(
    lambda negated, rooted, segments, directory: negated + rooted + "/".join(segments) + directory,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)


@pytest.fixture(scope="module")
def git_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@settings(max_examples=40, deadline=None)
@given(patterns=st.lists(PATTERNS, min_size=1, max_size=4))
def test_reads_patterns_as_git_does(git_folder: Path, patterns: list[str]) -> None:
    text = "\n".join(patterns) + "\n"
    (git_folder / ".gitignore").write_text(text)
    (git_folder / ".lambdashignore").write_text(text)
    answer = subprocess.run(
        ["git", "-c", "core.ignoreCase=false", "check-ignore", "--stdin", "-z", "--no-index"],
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
        check=False,
        cwd=git_folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(git_folder)},
    )
    expected = {path for path in answer.stdout.split("\0") if path}
    ignore = Ignore.for_folder(git_folder)
    assert {path for path in PATHS if ignore.ignored(path, False)} == expected
