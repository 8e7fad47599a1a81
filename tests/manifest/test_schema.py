"""The JSON Schema says what the models say, and the documentation has every key."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from jsonschema.protocols import Validator

from lambdash.manifest import connection_grammar, grammar, json_schema, runtimes, variables
from tests.manifest.conftest import Workspace

DOCS = Path(__file__).parents[2] / "docs" / "manifest.md"
PARTS = {
    "": grammar.ManifestDocument,
    "defaults": grammar.Settings,
    "function": grammar.FunctionEntry,
    "limits": grammar.Limits,
    "layers": grammar.LayerEntry,
    "build": grammar.Build,
    "image_config": grammar.ImageConfig,
    "logging_config": grammar.LoggingConfig,
    "url": connection_grammar.UrlEntry,
    "url.cors": connection_grammar.CorsEntry,
    "destinations": connection_grammar.DestinationsEntry,
    "dead_letter": connection_grammar.TargetEntry,
    "http": connection_grammar.HttpEntry,
    "sqs": connection_grammar.SqsEntry,
    "event_sources": connection_grammar.EventSourceEntry,
    "resources": connection_grammar.Resources,
    "resources.queues.NAME": connection_grammar.QueueEntry,
}
VALID = [
    "{version: 1, functions: {f: {image: x, url: {}, event_sources: [{http: GET /}, {sqs: a}]}}}",
    "{version: 1, resources: {queues: {a: {delay: 5}}}, functions: {}}",
    "{version: 1, functions: {}}",
    "{version: 1, account_id: 123456789012, functions: {f: {image: x}}}",
    "{version: 1, functions: {f: {build: {args: {A: 1.1}}, env_file: a, environment: {A1: true}}}}",
    '{version: 1, engine: "${env:E:-docker}", functions: {}}',
    '{version: 1, functions: {f: {code: ., timeout: "${env:T}", env_file: [a]}}}',
    "{version: 1, layers: {a: {code: a, compatible_runtimes: [ruby3.4]}}, functions: {}}",
    "{version: 1, defaults: {layers: [a, ./b]}, functions: {f: {code: ., layers: [c.zip]}}}",
    "{version: 1, defaults: {timeout: 9}, limits: {concurrent_executions: 5}, functions: {}}",
]
INVALID = [
    "{version: 1, functions: {f: {image: x, event_sources: [{sqs: {batch_size: 0}}]}}}",
    "{version: 1, functions: {f: {image: x, url: {auth_type: SOME}}}}",
    "{}",
    "{version: 2, functions: {}}",
    "{version: 1, functions: {a.b: {}}}",
    "{version: 1, functions: {f: {timeout: 901}}}",
    "{version: 1, functions: {f: {timeout: '5'}}}",
    "{version: 1, functions: {f: {runtime: cobol}}}",
    "{version: 1, functions: {f: {network: null}}}",
    "{version: 1, functions: {f: {environment: {A-B: x}}}}",
    "{version: 1, functions: {f: {layers: common}}}",
    "{version: 1, engine: swarm, functions: {}}",
]


@pytest.fixture(scope="module")
def validator() -> Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("text", VALID)
def test_valid(validator: Validator, text: str) -> None:
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", INVALID)
def test_invalid(validator: Validator, text: str) -> None:
    assert not validator.is_valid(yaml.safe_load(text))


def test_every_key_has_a_description() -> None:
    schema = json_schema()
    for part in (schema, *(part for part in schema["$defs"].values() if "properties" in part)):
        for name, rules in part["properties"].items():
            assert rules.get("description"), name
    assert "null" not in str(schema)


@pytest.mark.parametrize("part", PARTS)
def test_every_key_is_documented(part: str) -> None:
    keys = set(re.findall(r"^\| `([a-zA-Z_.]+)` \|", DOCS.read_text(), re.MULTILINE))
    nested = part not in ("", "defaults", "function")
    part_key = "layers.NAME" if part == "layers" else part
    expected = {f"{part_key}.{name}" if nested else name for name in PARTS[part].model_fields}
    assert expected <= keys


def test_nothing_else_is_documented() -> None:
    keys = re.findall(r"^\| `([a-zA-Z_.]+)` \|", DOCS.read_text(), re.MULTILINE)
    known = {name for part in PARTS.values() for name in part.model_fields}
    assert {key.split(".")[-1] for key in keys} <= known


def test_runtimes_and_reserved_variables_are_documented() -> None:
    text = DOCS.read_text()
    in_range = {f"python3.{minor}" for minor in range(10, 14)}
    assert all(f"`{name}`" in text for name in set(runtimes.KNOWN) - in_range)
    assert all(f"`{name}`" in text for name in variables.RESERVED)


def test_examples_of_the_documentation_load(workspace: Workspace, validator: Validator) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    workspace.write("reports/Dockerfile", "FROM scratch\n")
    (workspace.root / "orders").mkdir()
    assert list(workspace.load(text).functions) == ["orders", "thumbnails", "reports"]
    validator.validate(yaml.safe_load(text))


def test_examples_of_keys_are_yaml() -> None:
    rows = re.findall(r"^\| `([a-zA-Z_.]+)` \|.*\| `([^`]+)` \|$", DOCS.read_text(), re.MULTILINE)
    assert len(rows) > 30
    for key, example in rows:
        assert list(yaml.safe_load(example)) == [key.split(".")[-1]]
