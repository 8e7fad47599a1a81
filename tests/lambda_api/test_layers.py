"""Layers and their policies through boto3."""

import base64
import hashlib
import json
import urllib.request
from typing import Any

import pytest

from lambdash import limits
from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.function_layers import AttachedLayers
from lambdash.model import ArchiveSource, Function, FunctionConfiguration, ZipPackage
from lambdash.storage.functions import DeployedFunction
from tests.lambda_api.client import archive, new_function, refused, using
from tests.lambda_api.conftest import Endpoint, MakeEndpoint

ARN = "arn:aws:lambda:us-east-1:000000000000:layer:tools"
SOURCE = ArchiveSource("0" * 64, 1)
GONE = "The resource you requested does not exist."


def _publish(aws: Any, name: str = "tools", text: str = "1", **parameters: Any) -> Any:
    content = {"ZipFile": archive(data_txt=text)}
    return aws.publish_layer_version(LayerName=name, Content=content, **parameters)


async def test_a_layer_from_publishing_to_deletion(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        made = _publish(
            aws,
            Description="d",
            CompatibleRuntimes=["python3.13"],
            CompatibleArchitectures=["x86_64"],
            LicenseInfo="MIT",
        )
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (made["Version"], made["LayerArn"], made["LayerVersionArn"]) == (1, ARN, f"{ARN}:1")
        zipped = archive(data_txt="1")
        sha256 = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
        assert made["Content"]["CodeSha256"] == sha256
        with urllib.request.urlopen(made["Content"]["Location"]) as answer:
            assert answer.read() == zipped
        second = _publish(aws, name=ARN)
        assert (second["Version"], second["Description"]) == (2, "")
        listed = aws.list_layer_versions(LayerName="tools")["LayerVersions"]
        assert [one["Version"] for one in listed] == [2, 1]
        assert "Content" not in listed[1]
        assert listed[1]["LicenseInfo"] == "MIT"
        got = aws.get_layer_version(LayerName="tools", VersionNumber=1)
        by_arn = aws.get_layer_version_by_arn(Arn=f"{ARN}:1")
        assert got["CreatedDate"] == by_arn["CreatedDate"] == made["CreatedDate"]
        aws.delete_layer_version(LayerName="tools", VersionNumber=2)
        aws.delete_layer_version(LayerName="tools", VersionNumber=2)
        assert len(aws.list_layer_versions(LayerName="tools")["LayerVersions"]) == 1
        assert _publish(aws)["Version"] == 3

    await using(endpoint, use)


async def test_layers_are_listed_by_what_they_are_for(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        _publish(aws, CompatibleRuntimes=["python3.13"])
        _publish(aws, CompatibleArchitectures=["arm64"])
        _publish(aws, "others")
        listed = aws.list_layers()["Layers"]
        found = [(one["LayerName"], one["LatestMatchingVersion"]["Version"]) for one in listed]
        assert found == [("others", 1), ("tools", 2)]
        [only] = aws.list_layers(CompatibleRuntime="python3.13")["Layers"]
        assert only["LatestMatchingVersion"]["LayerVersionArn"] == f"{ARN}:1"
        versions = aws.list_layer_versions(LayerName="tools", CompatibleArchitecture="arm64")
        assert [one["Version"] for one in versions["LayerVersions"]] == [2]
        pages = aws.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1})
        assert [[one["LayerName"] for one in page["Layers"]] for page in pages] == [
            ["others"],
            ["tools"],
        ]

    await using(endpoint, use)


async def test_a_policy_of_a_version(make_endpoint: MakeEndpoint) -> None:
    endpoint = await make_endpoint()
    asked = {"LayerName": "tools", "VersionNumber": 1}
    grant = {**asked, "Action": "lambda:GetLayerVersion", "Principal": "*", "StatementId": "all"}

    def use(aws: Any) -> None:
        _publish(aws)
        added = aws.add_layer_version_permission(**grant, OrganizationId="o-1234567890")
        assert json.loads(added["Statement"]) == {
            "Sid": "all",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "lambda:GetLayerVersion",
            "Resource": f"{ARN}:1",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        }
        policy = aws.get_layer_version_policy(**asked)
        assert policy["RevisionId"] == added["RevisionId"]
        assert len(json.loads(policy["Policy"])["Statement"]) == 1

    await using(endpoint, use)
    told = await refused(endpoint, "add_layer_version_permission", **grant)
    assert told[1] == "ResourceConflictException"
    again = {**grant, "StatementId": "b", "RevisionId": "old"}
    assert (await refused(endpoint, "add_layer_version_permission", **again))[0] == 412
    remove = {**asked, "StatementId": "all"}
    told = await refused(endpoint, "remove_layer_version_permission", **remove, RevisionId="old")
    assert told[0] == 412
    told = await refused(endpoint, "remove_layer_version_permission", **asked, StatementId="nix")
    assert told[2] == "Statement nix is not found in resource policy."
    await using(endpoint, lambda aws: aws.remove_layer_version_permission(**remove))
    told = await refused(endpoint, "get_layer_version_policy", **asked)
    assert told[2] == "No policy is associated with the given resource."
    told = await refused(endpoint, "get_layer_version_policy", LayerName="no", VersionNumber=1)
    assert told[2] == f"Layer version {ARN.removesuffix('tools')}no:1 does not exist."


@pytest.mark.parametrize(
    ("operation", "asked", "message"),
    [
        ("get_layer_version", {"LayerName": "no", "VersionNumber": 1}, GONE),
        ("get_layer_version_by_arn", {"Arn": f"{ARN}:9"}, GONE),
        (
            "get_layer_version",
            {"LayerName": "no", "VersionNumber": 0},
            "Layer Version Cannot be less than 1.",
        ),
        (
            "delete_layer_version",
            {"LayerName": "no", "VersionNumber": -1},
            "Layer Version Cannot be less than 1.",
        ),
        ("publish_layer_version", {"LayerName": "x", "Content": {}}, "Uploaded file must be"),
        (
            "publish_layer_version",
            {"LayerName": "x", "Content": {"ZipFile": b"no zip"}},
            "Could not unzip uploaded file.",
        ),
        (
            "publish_layer_version",
            {"LayerName": "x", "Content": {"S3Bucket": "bucket", "S3Key": "k"}},
            "S3Bucket and S3Key are not supported",
        ),
        (
            "publish_layer_version",
            {"LayerName": "x", "Content": {"ZipFile": b"x"}, "CompatibleRuntimes": ["ruby"]},
            "1 validation error detected: Value '[ruby]' at 'compatibleRuntimes' failed to",
        ),
        (
            "list_layer_versions",
            {"LayerName": ARN.replace("us-east-1", "eu-west-1")},
            "Layers are not in the same region as the function.",
        ),
        (
            "list_layer_versions",
            {"LayerName": ARN.replace("000000000000", "111111111111")},
            "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayer",
        ),
    ],
)
async def test_what_is_refused(
    endpoint: Endpoint, operation: str, asked: dict[str, Any], message: str
) -> None:
    told = await refused(endpoint, operation, **asked)
    assert told[2].startswith(message)


# -- in functions -------------------------------------------------------------------------------


async def test_a_functions_layers_are_what_its_environments_get(
    make_endpoint: MakeEndpoint,
) -> None:
    endpoint = await make_endpoint()

    def use(aws: Any) -> None:
        first = _publish(aws, text="under")["LayerVersionArn"]
        content = {"ZipFile": archive(data_txt="over", more_txt="x")}
        second = aws.publish_layer_version(LayerName="more", Content=content)["LayerVersionArn"]
        made = aws.create_function(**new_function(Layers=[first]))
        assert [one["Arn"] for one in made["Layers"]] == [first]
        aws.get_waiter("function_active_v2").wait(FunctionName="made")
        aws.update_function_configuration(FunctionName="made", Layers=[first, second])
        aws.get_waiter("function_updated_v2").wait(FunctionName="made")
        listed = aws.get_function(FunctionName="made")["Configuration"]["Layers"]
        assert [one["Arn"] for one in listed] == [first, second]
        aws.publish_version(FunctionName="made")
        aws.delete_layer_version(LayerName="more", VersionNumber=1)

    await using(endpoint, use)
    assert _opt(endpoint) == {"data.txt": "over", "more.txt": "x"}
    await endpoint.server.close(0.5)
    await endpoint.rig.close()
    assert endpoint.rig.store.prune() > 0
    again = await make_endpoint()
    await again.rig.emulator.start()
    assert _opt(again) == _opt(again, "1") == {"data.txt": "over", "more.txt": "x"}
    await using(
        again, lambda aws: aws.update_function_configuration(FunctionName="made", Layers=[])
    )
    record = again.rig.emulator.registry.version("made")
    assert record is not None
    assert record.deployed is not None
    assert record.deployed.layers is None
    assert "Layers" not in record.document


def _opt(endpoint: Endpoint, version: str | None = None) -> dict[str, str]:
    """What is at ``/opt``."""
    record = endpoint.rig.emulator.registry.version("made", version)
    assert record is not None
    assert record.deployed is not None
    assert record.deployed.layers is not None
    tree = endpoint.rig.store.tree_path(record.deployed.layers)
    return {path.name: path.read_text() for path in tree.iterdir()}


LAYERS_REFUSED = [
    ([f"{ARN}:9"], f"Layer version {ARN}:9 does not exist."),
    ([f"{ARN}:{number}" for number in range(1, 7)], "Cannot reference more than 5 layers."),
    (
        [f"{ARN}:1", f"{ARN}:2"],
        "Two different versions of the same layer are not allowed to be referenced in the same "
        f"function. {ARN}:1 and {ARN}:2.",
    ),
    (
        [f"{ARN}:1".replace("us-east-1", "eu-west-1")],
        "Layers are not in the same region as the function. Layers are expected to be in region "
        "us-east-1.",
    ),
    (
        [ARN],
        f"1 validation error detected: Value '[{ARN}]' at 'layers' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 2048, "
        "Member must have length greater than or equal to 1, Member must satisfy regular ",
    ),
]


@pytest.mark.parametrize(("layers", "message"), LAYERS_REFUSED)
async def test_layers_that_a_function_cannot_have(
    endpoint: Endpoint, layers: list[str], message: str
) -> None:
    def use(aws: Any) -> None:
        _publish(aws)
        _publish(aws)

    await using(endpoint, use)
    for operation, asked in (
        ("create_function", new_function(Layers=layers)),
        ("update_function_configuration", {"FunctionName": "hello", "Layers": layers}),
    ):
        told = await refused(endpoint, operation, **asked)
        assert told[0] == 400
        assert told[2].startswith(message)
        assert told[2].endswith(", Member must not be null]") is (layers == [ARN])


def test_code_and_layers_are_bounded_together() -> None:
    half = ZipPackage("1" * 8, 150 * limits.MIB)
    function = Function(FunctionConfiguration("made", "python3.13", "app.handler"), SOURCE)
    layers = AttachedLayers(package=half)
    with pytest.raises(ApiError) as caught:
        layers.deployed(DeployedFunction(function, half, "x"))
    assert caught.value.message == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        "The actual size is 314572800 bytes."
    )
