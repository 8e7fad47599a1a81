"""Images made from this machine, run as AWS runs them: not root, read-only, nothing granted.

The entrypoint's contract: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from lambdash.engines.images import ImageStore, ImageStoreOptions
from lambdash.engines.images.host_image import ingredients, machine_architecture
from lambdash.engines.images.host_import import HostImport, import_host_image
from lambdash.engines.images.runtimes import find_interpreter, runtime_named
from lambdash.errors import PlatformError
from lambdash.model import ImagePackage
from lambdash.model.progress import Progress, silent
from tests.engines.images.scripted_runtime_api import Posted, scripted
from tests.session import Session

pytestmark = pytest.mark.docker
HERE = machine_architecture()
PYTHON_CODE = """
import ctypes, os, socket, sqlite3, ssl, sys, zoneinfo
import boto3

def handler(event, context):
    print("seen in the log")
    return {
        "prefix": sys.prefix,
        "version": "%d.%d" % sys.version_info[:2],
        "user": [os.getuid(), os.getgid()],
        "home": os.path.expanduser("~sbx_user1051"),
        "localhost": socket.gethostbyname("localhost"),
        "certificates": len(ssl.create_default_context().get_ca_certs()) > 0,
        "sql": sqlite3.connect(":memory:").execute("select 1").fetchone()[0],
        "zone": str(zoneinfo.ZoneInfo("Europe/Berlin")),
        "text": "später ☃",
        "encoding": sys.getfilesystemencoding(),
        "boto3": bool(boto3.__version__),
        "variables": {k: os.environ.get(k) for k in ("AWS_EXECUTION_ENV", "TZ", "PYTHONPATH")},
        "event": event,
    }
"""
NODE_CODE = """
const os = require('node:os');
exports.handler = async (event) => ({
  event, user: os.userInfo().username, node: process.versions.node.split('.')[0],
  execution: process.env.AWS_EXECUTION_ENV, paths: process.env.NODE_PATH });
"""
SHELL_CODE = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  event=$(curl -sS -D /tmp/head "$api/next") || exit 1
  id=$(grep -i '^lambda-runtime-aws-request-id' /tmp/head | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -X POST "$api/$id/response" -d "{\\"event\\":$event,\\"handler\\":\\"$_HANDLER\\"}"
done
"""


def store_in(api: Any, cache_dir: Path) -> ImageStore:
    return ImageStore(api, asyncio.to_thread, ImageStoreOptions(cache_dir=cache_dir))


@pytest.fixture(scope="session")
def cache_dir(session: Session) -> Path:
    return session.store


async def image_of(api: Any, cache_dir: Path, runtime: str) -> ImagePackage:
    if runtime_named(runtime).family.value != "provided" and find_interpreter(runtime) is None:
        pytest.skip(f"this machine has no interpreter for {runtime}")
    return await store_in(api, cache_dir).build_from_host(runtime, HERE, silent)


@contextmanager
def container(api: Any, image: str, command: list[str], **more: Any) -> Iterator[str]:
    host = api.create_host_config(
        binds=more.get("binds"),
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "mode=1777"},
    )
    variables = more.get("variables", {})
    made = api.create_container(
        image, command, user="993:990", environment=variables, host_config=host
    )
    try:
        api.start(made)
        yield made["Id"]
    finally:
        api.remove_container(made, force=True)


def invoke(api: Any, image: ImagePackage, folder: Path, event: Any, **variables: str) -> Posted:
    folder.chmod(0o755)
    with scripted(event) as runtime_api:
        variables["AWS_LAMBDA_RUNTIME_API"] = runtime_api.address
        binds = [f"{folder}:/var/task:ro"]
        command = ["app.handler"]
        with container(api, image.digest, command, binds=binds, variables=variables):
            return runtime_api.answer()


def ended(api: Any, image: ImagePackage, command: list[str], **variables: str) -> tuple[int, str]:
    with container(api, image.digest, command, variables=variables) as made:
        status = api.wait(made)["StatusCode"]
        return status, api.logs(made).decode()


@pytest.mark.parametrize("runtime", ["python3.11", "python3.13"])
async def test_python(api: Any, cache_dir: Path, tmp_path: Path, runtime: str) -> None:
    image = await image_of(api, cache_dir, runtime)
    (tmp_path / "app.py").write_text(PYTHON_CODE)
    posted = invoke(api, image, tmp_path, {"größe": 1})
    assert posted.kind == "response", posted.document
    assert posted.document == {
        "prefix": "/var/lang",
        "version": runtime.removeprefix("python"),
        "user": [993, 990],
        "home": "/home/sbx_user1051",
        "localhost": "127.0.0.1",
        "certificates": True,
        "sql": 1,
        "zone": "Europe/Berlin",
        "text": "später ☃",
        "encoding": "utf-8",
        "boto3": True,
        "variables": {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
            "TZ": ":UTC",
            "PYTHONPATH": "/var/runtime",
        },
        "event": {"größe": 1},
    }


async def test_node(api: Any, cache_dir: Path, tmp_path: Path) -> None:
    image = await image_of(api, cache_dir, "nodejs20.x")
    (tmp_path / "app.js").write_text(NODE_CODE)
    posted = invoke(api, image, tmp_path, {"a": 1})
    assert posted.document == {
        "event": {"a": 1},
        "user": "sbx_user1051",
        "node": "20",
        "execution": "AWS_Lambda_nodejs20.x",
        "paths": (
            "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules"
        ),
    }


async def test_provided(api: Any, cache_dir: Path, tmp_path: Path) -> None:
    image = await image_of(api, cache_dir, "provided.al2023")
    (tmp_path / "bootstrap").write_text(SHELL_CODE)
    (tmp_path / "bootstrap").chmod(0o755)
    posted = invoke(api, image, tmp_path, {"a": 1})
    assert posted.document == {"event": {"a": 1}, "handler": "app.handler"}


async def test_an_exec_wrapper_starts_the_runtime(
    api: Any, cache_dir: Path, tmp_path: Path
) -> None:
    image = await image_of(api, cache_dir, "nodejs20.x")
    (tmp_path / "app.js").write_text("exports.handler = async () => process.env.WRAPPED")
    wrapper = tmp_path / "wrapper"
    wrapper.write_text('#!/bin/sh\nexport WRAPPED="$1"\nexec "$@"\n')
    wrapper.chmod(0o755)
    posted = invoke(api, image, tmp_path, {}, AWS_LAMBDA_EXEC_WRAPPER="/var/task/wrapper")
    assert posted.document == "/var/lang/bin/node"


@pytest.mark.parametrize(
    ("command", "variables", "status", "said"),
    [
        ([], {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}, 142, "requires the handler name"),
        (["app.handler"], {}, 1, "AWS_LAMBDA_RUNTIME_API is not set"),
        (
            ["app.handler"],
            {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"},
            127,
            "/opt/none: does not exist",
        ),
        (
            ["app.handler"],
            {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "AWS_LAMBDA_EXEC_WRAPPER": "/etc/passwd"},
            126,
            "/etc/passwd: is not an executable",
        ),
    ],
)
async def test_how_the_entrypoint_refuses(
    api: Any,
    cache_dir: Path,
    command: list[str],
    variables: dict[str, str],
    status: int,
    said: str,
) -> None:
    image = await image_of(api, cache_dir, "nodejs20.x")
    actual, output = ended(api, image, command, **variables)
    assert actual == status
    assert said in output


async def test_a_custom_runtime_without_program_says_where_it_looked(
    api: Any, cache_dir: Path
) -> None:
    image = await image_of(api, cache_dir, "provided.al2023")
    status, output = ended(api, image, ["x"], AWS_LAMBDA_RUNTIME_API="127.0.0.1:1")
    assert (status, output) == (
        127,
        "no bootstrap: looked for /var/task/bootstrap, /opt/bootstrap\n",
    )


async def test_nothing_is_made_twice(api: Any, cache_dir: Path) -> None:
    first = await image_of(api, cache_dir, "provided.al2023")
    said: list[Progress] = []
    again = await store_in(api, cache_dir).build_from_host("provided.al2023", HERE, said.append)
    assert again == first
    assert said == []


async def test_what_this_machine_cannot_bring(api: Any, cache_dir: Path) -> None:
    store = store_in(api, cache_dir)
    other = "arm64" if HERE == "x86_64" else "x86_64"
    with pytest.raises(PlatformError) as caught:
        await store.build_from_host("provided.al2023", other, silent)
    assert caught.value.code == "host-image-failed"
    with pytest.raises(PlatformError) as caught:
        await store.build_from_host("java21", HERE, silent)
    assert caught.value.code == "interpreter-missing"


async def test_a_newer_image_replaces_the_outdated_one(api: Any, cache_dir: Path) -> None:
    parts = replace(ingredients(runtime_named("provided.al2023"), HERE), identity="outdated")
    parts = replace(parts, runtime=replace(parts.runtime, version=f"test-{secrets.token_hex(4)}"))

    said: list[Progress] = []

    def make() -> str:
        return import_host_image(api, HostImport(parts, Path, cache_dir / "lock"), said.append)

    # as two daemons do: the second to hold the lock uses what the first has made
    first, same = await asyncio.gather(asyncio.to_thread(make), asyncio.to_thread(make))
    assert first == same
    assert len([step for step in said if step.finished]) == 1
    parts = replace(parts, identity="newer")
    second = await asyncio.to_thread(make)
    try:
        with pytest.raises(docker.errors.ImageNotFound):
            api.inspect_image(first)
        assert api.inspect_image(parts.runtime.host_image)["Id"] == second
    finally:
        api.remove_image(second, force=True)
