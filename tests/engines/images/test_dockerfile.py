"""Build contexts: identity, .dockerignore, what needs BuildKit, and build streams decoded."""

import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdash import limits
from lambdash.engines.images.build import BuildProgress
from lambdash.engines.images.dockerfile import BuildContext, read_context, refuse_buildkit
from lambdash.errors import CallerError, FunctionError, PlatformError
from lambdash.model import DockerfileSource


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY app.txt /\n")
    (tmp_path / "app.txt").write_text("one")
    (tmp_path / "skipped.log").write_text("noise")
    (tmp_path / ".dockerignore").write_text("# logs\n*.log\n")
    return tmp_path


def read(context: Path, **changes: Any) -> BuildContext:
    source = DockerfileSource(context=context, dockerfile=context / "Dockerfile")
    return read_context(replace(source, **changes), "x86_64")


def edit_file(context: Path) -> None:
    (context / "app.txt").write_text("two")


def edit_mode(context: Path) -> None:
    (context / "app.txt").chmod(0o755)


def edit_dockerfile(context: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\n")


def add_link(context: Path) -> None:
    (context / "link").symlink_to("app.txt")


@pytest.mark.parametrize("edit", [edit_file, edit_mode, edit_dockerfile, add_link])
def test_what_changes_the_identity(context: Path, edit: Callable[[Path], None]) -> None:
    before = read(context).identity
    edit(context)
    assert read(context).identity != before


def test_arguments_and_target_change_the_identity(context: Path) -> None:
    identities = {
        read(context).identity,
        read(context, target="x").identity,
        read(context, arguments=(("A", "1"),)).identity,
    }
    assert len(identities) == 3


def test_times_and_ignored_files_do_not_change_the_identity(context: Path) -> None:
    before = read(context).identity
    os.utime(context / "app.txt", (1, 1))
    (context / "skipped.log").write_text("more noise")
    assert read(context).identity == before


def test_the_archive_holds_the_context_and_the_dockerfile(context: Path) -> None:
    built = read(context)
    with built.archive() as file, tarfile.open(fileobj=file) as archive:
        names = archive.getnames()
    assert "app.txt" in names
    assert built.dockerfile_name in names
    assert "skipped.log" not in names


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("RUN --mount=type=cache,target=/c make", "`RUN --mount`"),
        ("copy --chmod=755 a b", "`COPY --chmod`"),
        ("RUN <<EOF", "here-document"),
        ("COPY <<'EOF' /file", "here-document"),
    ],
)
def test_buildkit_is_refused_by_name(line: str, named: str) -> None:
    with pytest.raises(CallerError) as caught:
        refuse_buildkit(f"FROM scratch\n{line}\n", Path("Dockerfile"))
    assert caught.value.code == "dockerfile-needs-buildkit"
    assert caught.value.message.startswith("Dockerfile:2: ")
    assert named in caught.value.message


@pytest.mark.parametrize(
    "line",
    ["RUN echo $((1<<2))", "RUN cat <<<word", "COPY --from=a --chown=1:1 b c", "# RUN <<EOF"],
)
def test_what_the_classic_builder_reads_is_accepted(line: str) -> None:
    refuse_buildkit(f"FROM scratch\n{line}\n", Path("Dockerfile"))


def test_missing_parts_are_the_callers(context: Path) -> None:
    with pytest.raises(CallerError) as caught:
        read(context, dockerfile=context / "Nowhere")
    assert caught.value.code == "dockerfile-missing"
    with pytest.raises(CallerError) as caught:
        read_context(DockerfileSource(context / "nowhere", context / "Dockerfile"), "x86_64")
    assert caught.value.code == "build-context-missing"


def test_steps_become_a_bar() -> None:
    follower = BuildProgress("f: image")
    stream = [
        "Step 1/5 : FROM scratch\n",
        " ---> \n",
        "Step 2/5 : CO",
        "PY a /\n",
        "Step 3/5 : RUN x\n",
        "Step 4/5 : LABEL lambdash=1\n",
    ]
    bars = [bar for text in stream if (bar := follower.feed({"stream": text})) is not None]
    assert [(bar.text, bar.done, bar.total) for bar in bars] == [
        ("FROM scratch", 0, 3),
        ("COPY a /", 1, 3),
        ("RUN x", 2, 3),
    ]


def test_a_failing_step_is_told_with_its_last_lines() -> None:
    follower = BuildProgress("f: image")
    follower.feed({"stream": "Step 2/4 : RUN make\n"})
    for number in range(100):
        follower.feed({"stream": f"line {number}\n"})
    with pytest.raises(FunctionError) as caught:
        follower.feed({"error": "returned a non-zero code: 2", "errorDetail": {"code": 2}})
    first, *log = caught.value.message.splitlines()
    assert first == "step 2/2 `RUN make` failed: returned a non-zero code: 2"
    assert len(log) == limits.BUILD_LOG_KEPT_LINES
    assert log[-1] == "line 99"


def test_a_base_image_that_cannot_be_had_is_no_fault_of_the_function() -> None:
    follower = BuildProgress("f: image")
    follower.feed({"stream": "Step 1/4 : FROM nowhere/x:1\n"})
    with pytest.raises(PlatformError) as caught:
        follower.feed({"error": "no such host"})
    assert caught.value.code == "base-image-unavailable"
