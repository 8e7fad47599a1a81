"""Layers as a user meets them, on both engines."""

import zipfile

import pytest

from tests.integration.project import RUNTIME, Project

SOURCE = """import os, sys
import shared, zipped
def handler(event, context):
    return {"shared": shared.VALUE, "zipped": zipped.VALUE, "wrapped": os.environ.get("WRAPPED"),
            "argv": len(sys.argv), "tool": os.popen("tool").read()}
"""
WRAPPER = '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'


@pytest.fixture
def layered(project: Project) -> Project:
    """A project with a folder and an archive that can be layers."""
    project.write(
        {
            "hello/app.py": SOURCE,
            "common/python/shared.py": "VALUE = 'folder'\n",
            "common/bin/tool": "#!/bin/sh\necho tool\n",
            "common/wrapper": WRAPPER,
        }
    )
    (project.folder / "common" / "bin" / "tool").chmod(0o755)
    (project.folder / "common" / "wrapper").chmod(0o755)
    with zipfile.ZipFile(project.folder / "more.zip", "w") as archive:
        archive.writestr(f"python/lib/{RUNTIME}/site-packages/zipped.py", "VALUE = 'archive'")
        archive.writestr("python/shared.py", "VALUE = 'archive'")
    return project


def describe(project: Project, wrapper: str, layers: list[str]) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": wrapper} if wrapper else {}
    common = {"code": "./common", "compatible_runtimes": [RUNTIME]}
    project.describe(
        {"hello": {"layers": layers, "environment": variables}}, layers={"common": common}
    )


def test_layers_in_order_and_a_wrapper(layered: Project) -> None:
    describe(layered, "/opt/wrapper", ["common", "./more.zip"])
    expected = {"shared": "archive", "zipped": "archive", "wrapped": "yes", "argv": 1}
    assert layered.invoke("hello")["payload"] == {**expected, "tool": "tool\n"}
    describe(layered, "", ["./more.zip", "common"])
    assert layered.succeed("deploy", "--dry-run")["plan"][0]["why"] == ["environment", "layers"]
    expected = {"shared": "folder", "zipped": "archive", "wrapped": None, "argv": 1}
    assert layered.invoke("hello")["payload"] == {**expected, "tool": "tool\n"}


def test_a_missing_wrapper_ends_with_status_127(layered: Project) -> None:
    describe(layered, "/opt/none", ["common", "./more.zip"])
    answer = layered.invoke("hello")
    assert answer["outcome"] == "init_failed"
    assert answer["payload"]["errorMessage"].endswith("exit status 127")
