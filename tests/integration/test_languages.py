"""Real dependencies and other languages, in containers."""

import json
import re
import shutil
from collections.abc import Iterator

import pytest

from lambdash.engines.images.runtimes import find_interpreter
from tests.integration.conftest import Begin
from tests.integration.project import RUNTIME, Project

pytestmark = pytest.mark.docker


@pytest.fixture
def contained(begin: Begin, docker_engine: None) -> Iterator[Project]:
    """A project whose functions run in containers."""
    with begin("docker") as made:
        yield made


def test_numpy_and_pandas_come_from_requirements(contained: Project) -> None:
    contained.describe({"table": {"memory_size": 512, "timeout": 60}})
    source = (
        "import numpy, pandas\n"
        "def handler(event, context):\n"
        "    frame = pandas.DataFrame({'n': numpy.arange(event['rows'])})\n"
        "    return {'sum': int(frame.n.sum()), 'from': pandas.__file__}\n"
    )
    contained.write({"table/app.py": source, "table/requirements.txt": "numpy\npandas\n"})
    answer = contained.invoke("table", {"rows": 5})
    assert answer["payload"]["sum"] == 10
    assert answer["payload"]["from"].startswith("/var/task/")
    assert contained.invoke("table", {"rows": 3})["start"] == "warm"


def test_a_node_handler_runs_in_a_container(contained: Project) -> None:
    runtimes = [name for name in ("nodejs20.x", "nodejs22.x", "nodejs24.x") if _has_node(name)]
    if not runtimes:
        pytest.skip("this machine has no Node that AWS Lambda offers")
    contained.describe({"node": {"runtime": runtimes[0], "handler": "index.handler"}})
    source = (
        "let calls = 0;\n"
        "export const handler = async (event, context) => {\n"
        "  if (event.fail) throw new TypeError('asked to');\n"
        "  return {calls: ++calls, name: context.functionName, node: process.versions.node};\n"
        "};\n"
    )
    contained.write({"node/index.mjs": source})
    assert contained.invoke("node")["payload"]["calls"] == 1
    answer = contained.invoke("node")
    assert (answer["payload"]["calls"], answer["payload"]["name"]) == (2, "node")
    major = runtimes[0].removeprefix("nodejs").removesuffix(".x")
    assert answer["payload"]["node"].startswith(f"{major}.")
    failed = contained.invoke("node", {"fail": True})
    assert failed["outcome"] == "function_failed"
    assert failed["payload"].keys() == {"errorType", "errorMessage", "trace"}


def _has_node(runtime: str) -> bool:
    return find_interpreter(runtime) is not None


def test_a_shell_runs_in_an_image_with_neither_python_nor_node(contained: Project) -> None:
    assert contained.run("init", "provided-shell", ".").code == 0
    look = "command -v python3 || command -v python || command -v node || echo neither"
    bootstrap = contained.folder / "hello" / "bootstrap"
    text = bootstrap.read_text().replace("count=0\n", f'count=0\nfound="$({look})"\n', 1)
    bootstrap.write_text(text.replace("from a shell!", "from a shell with $found!"))
    first = contained.invoke("hello", {"a": 1})
    assert first["payload"] == {
        "message": "Hello from a shell with neither!",
        "count": 1,
        "event": {"a": 1},
    }
    assert contained.invoke("hello")["payload"]["count"] == 2


def test_the_container_image_template_builds_and_runs(contained: Project) -> None:
    assert contained.run("init", "container-image", ".").code == 0
    base = contained.succeed("image", "build", RUNTIME, "--from-host")["reference"]
    manifest = contained.manifest.read_text()
    contained.manifest.write_text(re.sub(r"(?<=BASE: ).*", base, manifest))

    event = contained.folder / "events" / "hello.json"
    ran = contained.run("invoke", "hello", "-p", f"@{event}")
    assert ran.code == 0, ran
    name = json.loads(event.read_text())["name"]
    assert json.loads(ran.stdout) == {"message": f"Hello, {name}!", "count": 1}
    assert contained.invoke("hello")["payload"]["count"] == 2

    source = contained.folder / "hello" / "app.py"
    source.write_text(source.read_text().replace("{name}!", "{name}?"))
    edited = contained.invoke("hello")
    assert edited["payload"] == {"message": "Hello, world?", "count": 1}


def test_npm_installs_what_package_json_names(contained: Project) -> None:
    if shutil.which("npm") is None or not _has_node("nodejs20.x"):
        pytest.skip("this machine has no npm with Node 20")
    contained.describe({"node": {"runtime": "nodejs20.x", "handler": "index.handler"}})
    package = {"name": "node", "version": "1.0.0", "dependencies": {"is-odd": "3.0.1"}}
    contained.write(
        {
            "node/package.json": json.dumps(package),
            "node/index.js": "const odd = require('is-odd');\n"
            "exports.handler = async (event) => ({odd: odd(event.n)});\n",
        }
    )
    assert contained.invoke("node", {"n": 3})["payload"] == {"odd": True}
