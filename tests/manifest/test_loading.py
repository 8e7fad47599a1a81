"""From a manifest to functions."""

import dataclasses
from pathlib import Path

import pytest

from lambdash import limits
from lambdash.manifest import find, runtimes, variables
from lambdash.model import (
    DockerfileSource,
    FolderSource,
    Function,
    ImageConfig,
    ImageSource,
    Scaling,
)
from tests.manifest.conftest import Workspace


def function(workspace: Workspace, entry: str, rest: str = "") -> Function:
    manifest = workspace.load(f"version: 1\n{rest}\nfunctions: {{f: {entry}}}\n")
    return manifest.functions["f"]


def test_a_whole_function(workspace: Workspace) -> None:
    text = """\
        version: 1
        region: eu-west-1
        account_id: "123456789012"
        engine: docker
        pull: never
        network: shop_default
        extra_hosts: ["db:10.0.0.5"]
        limits: {concurrent_executions: 2000}
        functions:
          orders:
            code: ./code
            runtime: python3.13
            handler: app.handler
            architecture: arm64
            memory_size: 256
            timeout: 10
            ephemeral_storage: 1024
            environment: {TABLE: orders, COUNT: 1}
            base_image: shop/python:3.13
            description: Takes orders
            reserved_concurrent_executions: 1800
            provisioned_concurrent_executions: 3
            max_environments: 4
            keep_alive: 1.5
            logging_config:
              log_format: JSON
              application_log_level: WARN
              log_group: /shop/orders
        """
    manifest = workspace.load(text)
    assert manifest.path == workspace.path
    assert (manifest.region, manifest.account_id) == ("eu-west-1", "123456789012")
    assert (manifest.engine, manifest.pull, manifest.network) == ("docker", "never", "shop_default")
    assert (manifest.extra_hosts, manifest.concurrent_executions) == (("db:10.0.0.5",), 2000)
    orders = manifest.functions["orders"]
    assert dataclasses.asdict(orders.configuration) == {
        "function_name": "orders",
        "runtime": "python3.13",
        "handler": "app.handler",
        "architecture": "arm64",
        "memory_size_mb": 256,
        "timeout_s": 10,
        "ephemeral_storage_mb": 1024,
        "environment": (("COUNT", "1"), ("TABLE", "orders")),
        "image_config": None,
        "base_image": "shop/python:3.13",
        "network": "shop_default",
        "extra_hosts": ("db:10.0.0.5",),
        "description": "Takes orders",
        "logging": {
            "log_format": "JSON",
            "application_log_level": "WARN",
            "system_log_level": "INFO",
            "group": "/shop/orders",
        },
        "version": "$LATEST",
        "cpu_proportional": False,
        "freeze": False,
    }
    assert orders.source == FolderSource(workspace.root / "code")
    assert orders.scaling == Scaling(4, 1800, 1.5, 3)
    assert orders.line == 10


def test_what_nothing_is_said_of(workspace: Workspace) -> None:
    manifest = workspace.load("version: 1\nfunctions: {f: {image: x}}\n")
    assert (manifest.region, manifest.account_id) == ("us-east-1", "000000000000")
    assert (manifest.engine, manifest.pull, manifest.network) == (None, "missing", None)
    assert manifest.concurrent_executions == limits.CONCURRENT_EXECUTIONS
    configuration = manifest.functions["f"].configuration
    assert (configuration.memory_size_mb, configuration.timeout_s) == (128, 3)
    assert (configuration.runtime, configuration.handler) == (None, None)
    assert manifest.functions["f"].scaling == Scaling()


def test_frozen(workspace: Workspace) -> None:
    manifest = workspace.load("version: 1\nfunctions: {}\n")
    with pytest.raises(TypeError):
        manifest.functions["f"] = None  # type: ignore[index]


def test_defaults_merge_under_each_function(workspace: Workspace) -> None:
    defaults = "defaults: {runtime: nodejs22.x, handler: a.b, timeout: 9, network: n, "
    defaults += "environment: {AA: d, BB: d}}"
    own = function(workspace, "{code: code, timeout: 3, environment: {BB: f}}", defaults)
    assert (own.configuration.runtime, own.configuration.handler) == ("nodejs22.x", "a.b")
    assert (own.configuration.timeout_s, own.configuration.network) == (3, "n")
    assert own.configuration.environment == (("AA", "d"), ("BB", "f"))
    image = function(workspace, "{image: x}", defaults)
    assert (image.configuration.runtime, image.configuration.handler) == (None, None)
    assert image.configuration.timeout_s == 9


def test_network_and_hosts_fall_back_to_the_project(workspace: Workspace) -> None:
    project = 'network: p\nextra_hosts: ["a:1.1.1.1"]'
    assert function(workspace, "{image: x}", project).configuration.network == "p"
    assert function(workspace, "{image: x, network: f}", project).configuration.network == "f"
    hosts = [
        function(workspace, "{image: x}", project).configuration.extra_hosts,
        function(workspace, "{image: x, extra_hosts: []}", project).configuration.extra_hosts,
        function(
            workspace, "{image: x}", project + '\ndefaults: {extra_hosts: ["b:2.2.2.2"]}'
        ).configuration.extra_hosts,
    ]
    assert hosts == [("a:1.1.1.1",), (), ("b:2.2.2.2",)]


def test_images(workspace: Workspace) -> None:
    entry = "{image: 'a/b:1', image_config: {entry_point: [/e], command: [a, b], "
    entry += "working_directory: /w}}"
    own = function(workspace, entry)
    assert own.source == ImageSource("a/b:1")
    assert own.configuration.image_config == ImageConfig(("/e",), ("a", "b"), "/w")
    empty = function(workspace, "{image: x, image_config: {command: []}}")
    assert empty.configuration.image_config == ImageConfig(None, (), None)


def test_dockerfiles(workspace: Workspace) -> None:
    root = workspace.root
    workspace.write("api/Dockerfile.dev", "FROM scratch\n")
    workspace.write("api/Dockerfile", "FROM scratch\n")
    expected = {
        "{}": (root, root / "Dockerfile"),
        "{dockerfile: api/Dockerfile.dev}": (root / "api", root / "api/Dockerfile.dev"),
        "{context: api}": (root / "api", root / "api/Dockerfile"),
        "{context: ., dockerfile: api/Dockerfile}": (root, root / "api/Dockerfile"),
    }
    for build, (context, dockerfile) in expected.items():
        own = function(workspace, f"{{build: {build}}}")
        assert own.source == DockerfileSource(context, dockerfile)
    own = function(workspace, "{build: {target: dev, args: {B: 1, A: x}}}")
    assert isinstance(own.source, DockerfileSource)
    assert (own.source.target, own.source.arguments) == ("dev", (("A", "x"), ("B", "1")))


def test_provided_runtimes_have_a_handler(workspace: Workspace) -> None:
    own = function(workspace, "{code: code, runtime: provided.al2023}")
    assert own.configuration.handler == "bootstrap"
    own = function(workspace, "{code: code, runtime: provided.al2, handler: h}")
    assert own.configuration.handler == "h"


@pytest.mark.parametrize("runtime", runtimes.KNOWN)
def test_runtimes(workspace: Workspace, runtime: str) -> None:
    own = function(workspace, f"{{code: code, runtime: {runtime}, handler: a.b}}")
    assert own.configuration.runtime == runtime


@pytest.mark.parametrize("runtime", runtimes.RETIRED)
def test_retired_runtimes_name_their_successor(workspace: Workspace, runtime: str) -> None:
    text = f"version: 1\nfunctions: {{f: {{code: code, runtime: {runtime}, handler: a.b}}}}\n"
    (problem,) = workspace.invalid(text).problems
    assert problem.code == "runtime-retired"
    assert runtimes.RETIRED[runtime] in runtimes.CURRENT


@pytest.mark.parametrize("name", sorted(variables.RESERVED))
def test_reserved_variables(workspace: Workspace, name: str) -> None:
    text = f"version: 1\nfunctions: {{f: {{image: x, environment: {{{name}: x}}}}}}\n"
    (problem,) = workspace.invalid(text).problems
    assert problem.code == "reserved-variable"


@pytest.mark.parametrize("name", ["TZ", "PATH", "LANG", "AWS_LAMBDA_EXEC_WRAPPER", "NODE_OPTIONS"])
def test_variables_that_aws_sets_and_lets_you_change(workspace: Workspace, name: str) -> None:
    own = function(workspace, f"{{image: x, environment: {{{name}: x}}}}")
    assert own.configuration.environment == ((name, "x"),)


def test_reserved_concurrency_up_to_what_must_stay_free(workspace: Workspace) -> None:
    function(workspace, "{image: x, reserved_concurrent_executions: 900}")
    function(
        workspace,
        "{image: x, reserved_concurrent_executions: 0}",
        "limits: {concurrent_executions: 10}",
    )


def test_awss_scaling_is_asked_for(workspace: Workspace) -> None:
    assert workspace.load("version: 1\nfunctions: {}\nscaling: aws\n").aws_scaling
    assert not workspace.load("version: 1\nfunctions: {}\n").aws_scaling


def test_provisioned_concurrency_up_to_what_is_reserved(workspace: Workspace) -> None:
    text = "{image: x, reserved_concurrent_executions: 2, provisioned_concurrent_executions: 2}"
    assert function(workspace, text).scaling.provisioned_concurrent_executions == 2
    text = "{image: x, provisioned_concurrent_executions: 900}"
    assert function(workspace, text).scaling.reserved_concurrent_executions is None


def test_two_functions_share_a_folder(workspace: Workspace) -> None:
    text = "version: 1\ndefaults: {runtime: python3.13}\n"
    text += "functions: {a: {code: code, handler: a.a}, b: {code: ./code, handler: b.b}}\n"
    functions = workspace.load(text).functions
    assert functions["a"].source == functions["b"].source


def test_find(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find(deep) is None
    (tmp_path / "lambdash.yml").touch()
    assert find(deep) == tmp_path / "lambdash.yml"
    (tmp_path / "lambdash.yaml").touch()
    assert find(deep) == tmp_path / "lambdash.yaml"
    (tmp_path / "a" / "lambdash.yaml").mkdir()
    assert find(deep) == tmp_path / "lambdash.yaml"
    assert find(Path("/proc/self/none\0none")) is None


def test_access_keys(workspace: Workspace) -> None:
    text = "version: 1\nfunctions: {}\nauth: sigv4\naccess_keys: {AKLOCAL: my-secret}\n"
    assert workspace.load(text).access_keys == {"AKLOCAL": "my-secret"}
    assert workspace.load("version: 1\nfunctions: {}\n").access_keys is None
    assert workspace.problems("version: 1\nfunctions: {}\nauth: sigv4\n") == [
        "lambdash.yaml:3:1: `auth: sigv4` needs `access_keys`"
        " (hint: add `access_keys: {ACCESS_KEY_ID: SECRET}`)"
    ]
