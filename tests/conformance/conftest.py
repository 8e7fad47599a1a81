"""One project an engine, with every function of the tables; its daemon serves all the tests."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lambdash.engines.images.runtimes import find_interpreter
from tests.conformance import functions
from tests.integration.conftest import ENGINES, Begin, begin
from tests.integration.project import Project

__all__ = ["begin"]

_PYTHON = {"py": {}, "slow": {"timeout": 1}, "wrapped": {}, "slow-init": {}}
_ONE_FOR_ALL = ("py", "slow", "wrapped", "json", "closed")
_BROKEN = {
    "no-module": "",
    "bad-import": "import nothing_of_this_name\n",
    "bad-syntax": "def handler(e, c:\n",
    "no-handler": "def other(e, c): return 1\n",
    "bad-name": "def handler(e, c): return 1\n",
    "exits": "import os\nos._exit(7)\n",
}
NODE_RUNTIME = next(
    (name for name in ("nodejs24.x", "nodejs22.x", "nodejs20.x") if find_interpreter(name)), None
)


@dataclass(frozen=True)
class Answer:
    """One Invoke, as boto3 shows it."""

    payload: Any
    error: str | None
    request_id: str
    version: str
    log: str

    @property
    def lines(self) -> list[str]:
        """The log tail, with the request's id as ``ID``."""
        return self.log.replace(self.request_id, "ID").split("\n")


@dataclass(frozen=True)
class Cloud:
    """The functions of the tables behind boto3, and the project that serves them."""

    engine: str
    project: Project
    endpoint: str
    aws: Any

    def invoke(self, function: str, event: object, **more: Any) -> Answer:
        """A synchronous invocation with its log tail."""
        payload = json.dumps(event).encode()
        answered = self.aws.invoke(FunctionName=function, Payload=payload, LogType="Tail", **more)
        assert answered["StatusCode"] == 200
        return Answer(
            json.loads(answered["Payload"].read()),
            answered.get("FunctionError"),
            answered["ResponseMetadata"]["RequestId"],
            answered["ExecutedVersion"],
            base64.b64decode(answered["LogResult"]).decode(),
        )


def _write(project: Project) -> None:
    described: dict[str, dict[str, Any]] = {
        name: {"memory_size": 192, **settings} for name, settings in _PYTHON.items()
    }
    described["wrapped"]["environment"] = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/no-such-wrapper"}
    described |= {name: {} for name in _BROKEN}
    described["bad-name"]["handler"] = "app"
    described["no-module"]["handler"] = "absent.handler"
    described["json"] = {"logging_config": {"log_format": "JSON", "system_log_level": "DEBUG"}}
    described["shell"] = {"runtime": "provided.al2023"}
    described["closed"] = {"reserved_concurrent_executions": 0}
    files = {
        f"{name}/app.py": functions.PYTHON for name in ("py", "slow", "wrapped", "json", "closed")
    }
    files |= {f"{name}/app.py": text for name, text in _BROKEN.items()}
    files["slow-init/app.py"] = functions.SLOW_INIT
    files["shell/bootstrap"] = functions.BOOTSTRAP
    if NODE_RUNTIME is not None:
        described["node"] = {"runtime": NODE_RUNTIME, "handler": "index.handler"}
        described["node-json"] = {**described["node"], "logging_config": {"log_format": "JSON"}}
        files["node/index.mjs"] = files["node-json/index.mjs"] = functions.NODE
    project.describe(described, region="eu-west-1")
    project.write(files)
    (project.folder / "shell" / "bootstrap").chmod(0o755)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has all that one engine's project serves."""
    for item in items:
        if "cloud" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec"):
            item.add_marker(pytest.mark.xdist_group(f"cloud {item.callspec.params['cloud']}"))


@pytest.fixture(scope="session", params=ENGINES)
def cloud(request: pytest.FixtureRequest, begin: Begin) -> Iterator[Cloud]:
    """Everything deployed, once for all modules."""
    engine: str = request.param
    if engine == "docker":
        request.getfixturevalue("docker_engine")
    with begin(engine) as project:
        _write(project)
        project.succeed("deploy")
        endpoint = str(project.status()["endpoint"])
        aws = boto3.client(
            "lambda",
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="anything",
            aws_secret_access_key="anything",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )
        yield Cloud(engine, project, endpoint, aws)
        aws.close()
